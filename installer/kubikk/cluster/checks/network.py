"""Networks against each other and against hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from kubikk.cluster.checks.draft import Draft, Finding
from kubikk.cluster.document import Location
from kubikk.cluster.network import NODE_PREFIX, NODE_PREFIX_IPV6
from kubikk.cluster.syntax import is_ipv4

_IPV6_ELSEWHERE = "fd6b:7562:696b::/56"


@dataclass(frozen=True)
class _Family:
    """The networks of IPv4, or those of IPv6; None for one that is not given or invalid.

    Attributes:
        section: where they stand in the cluster file.
        pods: pods' network.
        services: Services' network.
        node_prefix: of the part of it that each node takes.
        examples: networks that pods and Services may have.
    """

    section: Location
    pods: IPv4Network | IPv6Network | None
    services: IPv4Network | IPv6Network | None
    node_prefix: int
    examples: tuple[str, str]

    @property
    def named(self) -> tuple[tuple[str, str, IPv4Network | IPv6Network | None], ...]:
        """Key, name and network of both."""
        return (("pod_cidr", "pod network", self.pods), ("service_cidr", "Service network", self.services))


def _families(draft: Draft) -> tuple[_Family, _Family]:
    ipv4, ipv6 = draft.network, draft.ipv6_network
    return (
        _Family(("network",), ipv4("pod_cidr"), ipv4("service_cidr"), NODE_PREFIX, ("10.244.0.0/16", "10.96.0.0/16")),
        _Family(
            ("network", "ipv6"),
            ipv6("pod_cidr"),
            ipv6("service_cidr"),
            NODE_PREFIX_IPV6,
            ("fd00:10:244::/56", "fd00:10:96::/112"),
        ),
    )


def overlaps(draft: Draft) -> Iterator[Finding]:
    """Pod and Service networks have no address in common, and none of a host or of the endpoint."""
    for family in _families(draft):
        if family.pods and family.services and family.pods.overlaps(family.services):
            written = draft.given(*family.section, "pod_cidr") is not None
            yield Finding(
                (*family.section, "pod_cidr" if written else "service_cidr"),
                f"the pod network {family.pods} and the Service network {family.services} overlap",
                f"Choose two networks without a common address, for example {' and '.join(family.examples)}.",
            )
        yield from _addresses_inside(draft, family)


def _addresses_inside(draft: Draft, family: _Family) -> Iterator[Finding]:
    for location, address, owner in _addresses(draft):
        for key, what, network in family.named:
            if network and address in network:
                yield Finding(
                    location,
                    f"the address {address} of {owner} lies in the {what} {network}",
                    f"Choose a {'.'.join(map(str, family.section))}.{key} without the hosts' addresses, for example "
                    f"{_elsewhere(draft) if isinstance(address, IPv4Address) else _IPV6_ELSEWHERE}.",
                )


def _addresses(draft: Draft) -> Iterator[tuple[Location, IPv4Address | IPv6Address, str]]:
    for host in draft.hosts:
        if host.address:
            yield (*host.location, "address"), host.address, f"the host {host.label}"
        if host.ipv6_address:
            yield (*host.location, "ipv6_address"), host.ipv6_address, f"the host {host.label}"
    endpoint = draft.given("api", "endpoint")
    if isinstance(endpoint, str) and is_ipv4(endpoint):
        yield ("api", "endpoint"), IPv4Address(endpoint), "the endpoint"


def _elsewhere(draft: Draft) -> str:
    """A private network that neither hosts nor the other networks are in."""
    taken = [IPv4Network(host.address) for host in draft.hosts if host.address]
    taken += [network for key in ("pod_cidr", "service_cidr") if (network := draft.network(key))]
    candidates = (*(f"172.{second}.0.0/16" for second in range(16, 32)), *(f"10.{n}.0.0/16" for n in range(200, 256)))
    free = (text for text in candidates if not any(IPv4Network(text).overlaps(network) for network in taken))
    return next(free, "100.64.0.0/16")


def room_for_nodes(draft: Draft) -> Iterator[Finding]:
    """Each node finds a network of its own in the pod networks."""
    nodes = sum(host.is_node for host in draft.hosts)
    for family in _families(draft):
        pods, prefix = family.pods, family.node_prefix
        if pods and (room := 1 << (prefix - pods.prefixlen)) < nodes:
            enough = prefix - (nodes - 1).bit_length()
            yield Finding(
                (*family.section, "pod_cidr"),
                f"the pod network {pods} has room for {room} nodes (a /{prefix} each), but there are {nodes}",
                f"Choose a prefix of {enough} or less, for example {family.examples[0]}.",
            )


def ipv6_addresses(draft: Draft) -> Iterator[Finding]:
    """Nodes have IPv6 addresses where pods do, and only there."""
    wanted = draft.given("network", "ipv6") is not None
    for host in draft.hosts:
        written = "ipv6_address" in host.keys
        if wanted and host.is_node and not written:
            yield Finding(
                host.location,
                f"the host {host.label} has no ipv6_address, which network.ipv6 needs",
                "Add the IPv6 address of the interface that has its address.",
            )
        if written and not wanted and draft.valid("network", "ipv6"):
            yield Finding(
                (*host.location, "ipv6_address"),
                "ipv6_address has no effect without network.ipv6",
                "Add network.ipv6 ({} takes its defaults), or remove the address.",
            )


def settings_of_flannel(draft: Draft) -> Iterator[Finding]:
    """What is flannel's has no effect without it."""
    if draft.value("network", "plugin") != "none":
        return
    for location in (("network", "backend"), ("network", "mtu"), ("components", "flannel")):
        if draft.given(*location) is not None:
            yield Finding(
                location, f"{location[-1]} has no effect with network.plugin: none", f"Remove {'.'.join(location)}."
            )
