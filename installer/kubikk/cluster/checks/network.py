"""Networks against each other and against hosts."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from kubikk.cluster.checks.draft import Draft, Finding
from kubikk.cluster.document import Location
from kubikk.cluster.network import NODE_PREFIX
from kubikk.cluster.syntax import is_ipv4

_NETWORKS = (("pod_cidr", "pod network"), ("service_cidr", "Service network"))


def overlaps(draft: Draft) -> Iterator[Finding]:
    """Pod and Service networks have no address in common, and none of a host or of the endpoint."""
    pods, services = draft.network("pod_cidr"), draft.network("service_cidr")
    if pods and services and pods.overlaps(services):
        written = draft.given("network", "pod_cidr") is not None
        yield Finding(
            ("network", "pod_cidr" if written else "service_cidr"),
            f"the pod network {pods} and the Service network {services} overlap",
            "Choose two networks without a common address, for example 10.244.0.0/16 and 10.96.0.0/16.",
        )
    for location, address, owner in _addresses(draft):
        for key, what in _NETWORKS:
            network = draft.network(key)
            if network and address in network:
                yield Finding(
                    location,
                    f"the address {address} of {owner} lies in the {what} {network}",
                    f"Choose a network.{key} without the hosts' addresses, for example {_elsewhere(draft)}.",
                )


def _addresses(draft: Draft) -> Iterator[tuple[Location, IPv4Address, str]]:
    for host in draft.hosts:
        if host.address:
            yield (*host.location, "address"), host.address, f"the host {host.label}"
    endpoint = draft.given("api", "endpoint")
    if isinstance(endpoint, str) and is_ipv4(endpoint):
        yield ("api", "endpoint"), IPv4Address(endpoint), "the endpoint"


def _elsewhere(draft: Draft) -> str:
    """A private network that neither hosts nor the other networks are in."""
    taken = [IPv4Network(host.address) for host in draft.hosts if host.address]
    taken += [network for key, _ in _NETWORKS if (network := draft.network(key))]
    candidates = (*(f"172.{second}.0.0/16" for second in range(16, 32)), *(f"10.{n}.0.0/16" for n in range(200, 256)))
    free = (text for text in candidates if not any(IPv4Network(text).overlaps(network) for network in taken))
    return next(free, "100.64.0.0/16")


def room_for_nodes(draft: Draft) -> Iterator[Finding]:
    """Each node finds a network of its own in the pod network."""
    pods = draft.network("pod_cidr")
    nodes = sum(host.is_node for host in draft.hosts)
    if pods and (room := 1 << (NODE_PREFIX - pods.prefixlen)) < nodes:
        enough = NODE_PREFIX - (nodes - 1).bit_length()
        yield Finding(
            ("network", "pod_cidr"),
            f"the pod network {pods} has room for {room} nodes (a /{NODE_PREFIX} each), but there are {nodes}",
            f"Choose a prefix of {enough} or less, for example 10.244.0.0/16.",
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
