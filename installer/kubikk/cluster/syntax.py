"""Names, addresses and networks as Kubernetes and the Internet write them; types the models are made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    NetmaskValueError,
)
from typing import Annotated

from pydantic import AfterValidator

from kubikk.cluster.section import describe, refuse

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")
_LONGEST_LABEL = 63
_LONGEST_NAME = 253


def is_dns_label(text: str) -> bool:
    """Whether the text is an RFC 1123 label: a-z, 0-9 and inner hyphens, at most 63 characters."""
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def is_dns_name(text: str) -> bool:
    """Whether the text is one or more RFC 1123 labels with dots between, at most 253 characters."""
    return len(text) <= _LONGEST_NAME and all(is_dns_label(label) for label in text.split("."))


def is_hostname(text: str) -> bool:
    """Whether the text can be a host's name in DNS. All digits and dots is a mistyped address, not a name."""
    return is_dns_name(text.lower()) and not text.replace(".", "").isdigit()


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    return is_ipv4(text) or is_ipv6(text)


def is_ipv4(text: str) -> bool:
    """Whether the text is an IPv4 address."""
    return _is(IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address."""
    return _is(IPv6Address, text)


def _is(kind: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True


def _dns_label(text: str) -> str:
    if not is_dns_label(text):
        raise refuse(
            f"{describe(text)} is no DNS label",
            "Use at most 63 of a-z, 0-9 and -, with a letter or digit at both ends.",
        )
    return text


def _dns_name(text: str) -> str:
    if not is_dns_name(text):
        raise refuse(
            f"{describe(text)} is no DNS name",
            "Use a-z, 0-9, - and dots, with a letter or digit at both ends of each part.",
        )
    return text


def host_address(text: str) -> str:
    """Validates the address of a host, which certificates are issued for and components listen on.

    Raises:
        PydanticCustomError: it is no IPv4 address, or one that no host can be reached at.
    """
    if not is_ipv4(text):
        if is_ip(text):
            raise refuse(
                f"{text} is an IPv6 address; expected an IPv4 address",
                "Give the host's IPv4 address; one of IPv6 beside it goes to ipv6_address.",
            )
        raise refuse(
            f"{describe(text)} is no IP address; components listen on it and certificates are issued for it",
            "Give the host's IPv4 address; a name that SSH is to use goes to ssh.host.",
        )
    _reachable(IPv4Address(text))
    return text


def _host_ipv6_address(text: str) -> str:
    if not is_ipv6(text) or "%" in text:
        raise refuse(f"{describe(text)} is no IPv6 address", "Write it without prefix and interface.")
    address = IPv6Address(text)
    _reachable(address)
    # What Kubernetes and the kernel show it as.
    return str(address)


def _reachable(address: IPv4Address | IPv6Address) -> None:
    if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
        raise refuse(
            f"{address} cannot be reached from other hosts; expected a unicast address",
            "Give the address that the other hosts reach this one at.",
        )


def _hostname_or_ip(text: str) -> str:
    if not is_ip(text) and not is_hostname(text):
        raise refuse(f"{describe(text)} is neither an IP address nor a host name", "Write it without scheme and port.")
    return text


def _certificate_name(text: str) -> str:
    if not is_ip(text) and not is_hostname(text.removeprefix("*.")):
        raise refuse(
            f"{describe(text)} is neither an IP address nor a DNS name that a certificate can hold",
            "Write it without scheme and port, for example api.example.com.",
        )
    return text


def _network(kind: type[IPv4Network] | type[IPv6Network], what: str, example: str) -> Callable[[str], str]:
    """A validator of networks.

    Args:
        kind: what they are to be.
        what: its name.
        example: one of them.
    """
    prefix = example.partition("/")[2]

    def validate(text: str) -> str:
        try:
            network = kind(text)
        except (AddressValueError, NetmaskValueError) as error:
            raise refuse(
                f"{describe(text)} is no {what} network", f"Write an address and a prefix, for example {example}."
            ) from error
        except ValueError as error:
            network = kind(text, strict=False)
            raise refuse(f"{text} has bits set to the right of its prefix", f"Write {network}.") from error
        if "/" not in text:
            raise refuse(f"{text} is an address; expected a network", f"Add the prefix, for example {text}/{prefix}.")
        return str(network)

    return validate


def _user_name(text: str) -> str:
    if not _USER.fullmatch(text):
        raise refuse(f"{describe(text)} is no user name", "Give the user's login name only.")
    return text


DnsLabel = Annotated[str, AfterValidator(_dns_label)]
DnsName = Annotated[str, AfterValidator(_dns_name)]
HostAddress = Annotated[str, AfterValidator(host_address)]
HostnameOrIp = Annotated[str, AfterValidator(_hostname_or_ip)]
CertificateName = Annotated[str, AfterValidator(_certificate_name)]
HostIpv6Address = Annotated[str, AfterValidator(_host_ipv6_address)]
Ipv4Cidr = Annotated[str, AfterValidator(_network(IPv4Network, "IPv4", "10.244.0.0/16"))]
Ipv6Cidr = Annotated[str, AfterValidator(_network(IPv6Network, "IPv6", "fd00:10:244::/56"))]
UserName = Annotated[str, AfterValidator(_user_name)]
