"""The networks of pods and Services."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kubikk.cluster.section import Section, refuse
from kubikk.cluster.syntax import DnsName, Ipv4Cidr, Ipv6Cidr

NODE_PREFIX = 24
"""Prefix of the network that each node takes its pods' addresses from: the controller manager's default."""

NODE_PREFIX_IPV6 = 64
"""The same for IPv6."""

# kube-controller-manager refuses a pod network whose prefix is more than 16 shorter than a node's.
_WIDEST_POD_PREFIX = NODE_PREFIX - 16
_WIDEST_POD_PREFIX_IPV6 = NODE_PREFIX_IPV6 - 16
# kube-apiserver refuses more than 20 bits of Service addresses.
_WIDEST_SERVICE_PREFIX = 12
_WIDEST_SERVICE_PREFIX_IPV6 = 108
# DNS has the tenth address.
_NARROWEST_SERVICE_PREFIX = 28
_NARROWEST_SERVICE_PREFIX_IPV6 = 124
_DNS_OFFSET = 10


def _of_size(what: str, widest: int, narrowest: int, remedy: str) -> AfterValidator:
    """A validator of networks' prefixes.

    Args:
        what: the network's name.
        widest: the smallest prefix.
        narrowest: the largest.
        remedy: what to choose instead.
    """

    def validate(text: str) -> str:
        prefix = ip_network(text).prefixlen
        if not widest <= prefix <= narrowest:
            raise refuse(f"the {what} {text} has the prefix {prefix}; expected {widest} to {narrowest}", remedy)
        return text

    return AfterValidator(validate)


_PodCidr = Annotated[
    Ipv4Cidr,
    _of_size(
        "pod network",
        _WIDEST_POD_PREFIX,
        NODE_PREFIX,
        f"Each node takes a /{NODE_PREFIX} from it; 10.244.0.0/16 has room for 256.",
    ),
]
_PodCidrIpv6 = Annotated[
    Ipv6Cidr,
    _of_size(
        "pod network",
        _WIDEST_POD_PREFIX_IPV6,
        NODE_PREFIX_IPV6,
        f"Each node takes a /{NODE_PREFIX_IPV6} from it; fd00:10:244::/56 has room for 256.",
    ),
]
_ServiceCidr = Annotated[
    Ipv4Cidr,
    _of_size(
        "Service network",
        _WIDEST_SERVICE_PREFIX,
        _NARROWEST_SERVICE_PREFIX,
        "10.96.0.0/12 is Kubernetes' usual one; 10.96.0.0/16 has room for 65,534 Services.",
    ),
]
_ServiceCidrIpv6 = Annotated[
    Ipv6Cidr,
    _of_size(
        "Service network",
        _WIDEST_SERVICE_PREFIX_IPV6,
        _NARROWEST_SERVICE_PREFIX_IPV6,
        "fd00:10:96::/112 has room for 65,534 Services.",
    ),
]


class Ipv6(Section):
    """IPv6 addresses of pods and Services, beside those of IPv4."""

    pod_cidr: _PodCidrIpv6 = Field(
        default="fd00:10:244::/56", description="Addresses of pods; each node takes a /64 of them."
    )
    service_cidr: _ServiceCidrIpv6 = Field(
        default="fd00:10:96::/112", description="Addresses of Services that ask for one of IPv6."
    )


class Network(Section):
    """Addresses of pods and Services, and what carries pods' traffic between hosts."""

    plugin: Literal["flannel", "none"] = Field(
        default="flannel", description="Pod network. With none, nodes stay NotReady until you install one."
    )
    backend: Literal["vxlan", "host-gw"] = Field(
        default="vxlan",
        description="How flannel carries packets: in VXLAN, or by routes where all hosts share one segment.",
    )
    pod_cidr: _PodCidr = Field(default="10.244.0.0/16", description="Addresses of pods; each node takes a /24 of them.")
    service_cidr: _ServiceCidr = Field(
        default="10.96.0.0/12", description="Addresses of Services; the first is the API's, the tenth is DNS's."
    )
    ipv6: Ipv6 | None = Field(
        default=None,
        description="With it, even as `{}`, pods have IPv6 addresses beside their IPv4 ones and Services can; each "
        "node's host needs an `ipv6_address`. To be chosen before `up`: nodes keep the networks that they got.",
    )
    dns_domain: DnsName = Field(default="cluster.local", description="DNS domain of Services and pods.")
    firewall: Literal["leave", "open"] = Field(
        default="leave",
        description="With open, firewalld or ufw, where one of them filters packets on a host, is told to let "
        "everything through between the hosts and pods of the cluster, and everybody to the API. Neither is turned on "
        "or off.",
    )
    mtu: Annotated[int, Field(ge=576, le=65535)] | None = Field(
        default=None, description="MTU of the pod network in bytes; by default found from the hosts' interfaces."
    )

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        """Networks of pods, IPv4's first."""
        return (self.pod_cidr, *([self.ipv6.pod_cidr] if self.ipv6 else []))

    @property
    def service_cidrs(self) -> tuple[str, ...]:
        """Networks of Services, IPv4's first."""
        return (self.service_cidr, *([self.ipv6.service_cidr] if self.ipv6 else []))

    @property
    def first_service_address(self) -> str:
        """The address of the Service ``kubernetes``."""
        return self._service_address(1)

    @property
    def dns_address(self) -> str:
        """The address of the Service ``kube-dns``."""
        return self._service_address(_DNS_OFFSET)

    def _service_address(self, offset: int) -> str:
        return str(IPv4Address(int(IPv4Network(self.service_cidr).network_address) + offset))
