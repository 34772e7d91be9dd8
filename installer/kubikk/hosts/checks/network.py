"""Checks of ports, routes and firewalls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from kubikk.hosts.checks.view import Fault, View, error, warning
from kubikk.hosts.facts import HostFacts, Listener
from kubikk.hosts.layout import FLANNEL_INTERFACES, FLANNEL_VXLAN, ports, uses_vxlan
from kubikk.hosts.probes import FLANNEL
from kubikk.hosts.reachability import Attempt


def check_ports(view: View) -> Iterator[Fault]:
    """Ports that Kubikk's services will listen on are free, or theirs already."""
    wanted = {(port.protocol, port.number): port.unit for port in ports(view.cluster, view.host)}
    told = set()
    for listener in view.facts.listeners:
        place = (listener.protocol, listener.port)
        # A socket without a process belongs to the kernel: VXLAN, which has a check of its own.
        if place not in wanted or place in told or view.owns(listener) or not listener.program:
            continue
        told.add(place)
        yield error(
            f"{listener.protocol} port {listener.port}, which {wanted[place]} needs, is used by {_name(listener)}",
            f"Stop it: systemctl disable --now {listener.unit}" if listener.unit else "Stop that program.",
        )


def _name(listener: Listener) -> str:
    where = f" ({listener.executable})" if listener.executable else ""
    unit = f" of {listener.unit}" if listener.unit else ""
    return f"{listener.program}{where}{unit}"


def check_vxlan(view: View) -> Iterator[Fault]:
    """No other VXLAN interface on the port that flannel uses."""
    if not uses_vxlan(view.cluster) or not view.host.is_node:
        return
    # Its configuration tells, whether it ever got healthy or not.
    ours = FLANNEL in view.facts.present
    for interface in view.facts.vxlan:
        if interface.port == FLANNEL_VXLAN and not (ours and interface.name in FLANNEL_INTERFACES):
            yield error(
                f"the interface {interface.name} uses UDP port {FLANNEL_VXLAN}, which flannel needs",
                f"Remove the pod network it is left from, then run ip link delete {interface.name}.",
            )


def check_route(view: View) -> Iterator[Fault]:
    """A default route; without one, kube-proxy and pods that reach out fail in strange ways."""
    lacking = ["there is no default route"] if not view.facts.default_route else []
    if view.cluster.network.ipv6 and not view.facts.default_route_ipv6:
        lacking.append("there is no default route of IPv6")
    for message in lacking:
        yield warning(
            message, "Add one, if only to a gateway that drops everything: Services need a route for their addresses."
        )


def check_networks(view: View) -> Iterator[Fault]:
    """Pods and Services keep their networks: nodes and Services that exist have addresses of them."""
    network = view.cluster.network
    for key, what, wanted in (
        ("pods", "pod_cidr", network.pod_cidrs),
        ("services", "service_cidr", network.service_cidrs),
    ):
        present = view.facts.networks.get(key, ",".join(wanted))
        if present != ",".join(wanted):
            yield error(
                f"the cluster was made with {present} for {key}, and the cluster file says {', '.join(wanted)}",
                f"Give network.{what} and network.ipv6 the values that they had: nodes and Services keep their "
                "addresses. Others need a new cluster (kubikk reset).",
            )


def firewalls(facts: HostFacts) -> list[str]:
    """Which of the firewalls that Kubikk knows filter packets on a host."""
    firewalld = facts.units.get("firewalld")
    return [name for name, on in (("firewalld", firewalld and firewalld.runs), ("ufw", facts.ufw)) if on]


def check_firewall(view: View) -> Iterator[Fault]:
    """Firewalls that are managed by others, unless Kubikk is to see to them: their rules may come and go."""
    for name in firewalls(view.facts) if view.cluster.network.firewall == "leave" else ():
        numbers = ", ".join(f"{port.number}/{port.protocol}" for port in ports(view.cluster, view.host) if port.peers)
        yield warning(
            f"{name} filters packets",
            f"Set network.firewall: open, or allow {numbers} from the other hosts and what the pod network needs "
            f"(docs/bare-metal.md), or turn {name} off.",
        )


def check_selinux(view: View) -> Iterator[Fault]:
    """SELinux in enforcing mode, which needs a policy for containers."""
    if view.facts.selinux == "enforcing":
        yield warning(
            "SELinux is enforcing",
            "Kubikk labels what it installs, but is not tested with it: docs/bare-metal.md. Set it to permissive if "
            "something is denied (ausearch -m avc).",
        )


def unreached(attempts: list[Attempt], opening: Collection[str] = ()) -> Iterator[tuple[str, Fault]]:
    """Ports of hosts that others cannot connect to: host, fault. One fault per port, whoever cannot.

    Args:
        attempts: connections tried.
        opening: hosts whose firewall is about to be told to let them through; nothing is said of these.
    """
    failed: dict[tuple[str, str, int, str], list[Attempt]] = defaultdict(list)
    tried: dict[tuple[str, str, int], int] = defaultdict(int)
    for attempt in attempts:
        if attempt.target in opening:
            continue
        place = (attempt.target, attempt.port.protocol, attempt.port.number)
        tried[place] += 1
        if attempt.result != "open":
            failed[(*place, attempt.result)].append(attempt)
    for (target, protocol, number, result), group in failed.items():
        origins = ", ".join(attempt.origin for attempt in group)
        everybody = " (nobody can)" if len(group) == tried[target, protocol, number] and len(group) > 1 else ""
        yield (
            target,
            error(
                f"{protocol} port {number} ({group[0].port.unit}) cannot be reached from {origins}{everybody}: "
                f"{_REASONS.get(result, result)}",
                f"Allow {number}/{protocol} between the hosts in their firewalls and in those of the network.",
            ),
        )


_REASONS = {
    "timeout": "no answer, so a firewall drops it",
    "refused": "it is refused, although something listens there, so a firewall rejects it",
    "unreachable": "a router or a firewall says that it is unreachable",
}
