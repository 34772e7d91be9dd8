"""A lab's own network: a bridge with a free subnet, and packet filter rules that lead from it to the outside.

Every name follows from the lab's name (``names``), so that taking the network away needs no record and is exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

from kubikk.errors import KubikkError
from kubikk.lab import names
from kubikk.lab.commands import run, succeeds
from kubikk.lab.state import Role

# Where subnets of labs are taken from: private (RFC 1918), seldom used, none of _TAKEN.
_POOLS = (IPv4Network("10.199.0.0/16"), IPv4Network("10.211.0.0/16"), IPv4Network("192.168.192.0/18"))
# Defaults of what runs on or beside a lab: pods, Services, Docker's own pools (172.17.0.0/16 and up).
_TAKEN = (IPv4Network("10.244.0.0/16"), IPv4Network("10.96.0.0/12"), IPv4Network("172.16.0.0/12"))
_FIRST_ADDRESS: dict[Role, int] = {"control-plane": 10, "worker": 50}
_SMALLEST_MTU = 1280


def free_subnet(in_use: Iterable[IPv4Network]) -> IPv4Network:
    """The first /24 that overlaps nothing in use.

    Args:
        in_use: the machine's routes and the subnets of other labs.

    Raises:
        KubikkError: there is none left.
    """
    taken = (*in_use, *_TAKEN)
    for pool in _POOLS:
        for subnet in pool.subnets(new_prefix=24):
            if not any(subnet.overlaps(other) for other in taken):
                return subnet
    raise KubikkError(
        "No subnet is free for another lab",
        cause=f"this machine's routes and labs take all of {', '.join(map(str, _POOLS))}",
        remedy="Take a lab down that is not needed: `kubikk lab list`.",
    )


def gateway(subnet: IPv4Network) -> IPv4Address:
    """The machine's own address in a lab's network."""
    return subnet[1]


def host_address(subnet: IPv4Network, role: Role, number: int) -> IPv4Address:
    """A host's address: cp1 has .11, w1 has .51; .201 to .254 are left for virtual addresses.

    Args:
        subnet: the lab's /24.
        role: the host's role.
        number: counted from 1 per role.
    """
    return subnet[_FIRST_ADDRESS[role] + number]


def ipv6_address(address: IPv4Address) -> IPv6Address:
    """The private IPv6 address of who has an IPv4 one: fd00:10:199:3::11 for 10.199.3.11, in a /64."""
    first, second, third, last = str(address).split(".")
    return IPv6Address(f"fd00:{first}:{second}:{third}::{last}")


def machine_has_ipv6() -> bool:
    """Whether this machine's interfaces can have IPv6 addresses."""
    switch = Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    return switch.exists() and switch.read_text().strip() == "0"


def routes(output: str) -> list[IPv4Network]:
    """Destinations of the machine's IPv4 routes, the default route left out.

    Args:
        output: of ``ip -json -4 route show table all``.
    """
    found = []
    for route in json.loads(output or "[]"):
        destination = route.get("dst", "default")
        if destination != "default" and route.get("type") != "broadcast":
            found.append(IPv4Network(destination, strict=False))
    return found


def machine_routes(*, except_bridge: str = "") -> list[IPv4Network]:
    """Destinations of this machine's routes; those through ``except_bridge`` are left out."""
    output = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]")
    return routes(json.dumps([route for route in output if route.get("dev") != except_bridge]))


def uplink_mtu() -> int:
    """The MTU in bytes of the link the default route uses; 1500 without one.

    Hosts get the same, else what they fetch through a smaller uplink (a tunnel, a cloud) hangs.
    """
    default = json.loads(run(["ip", "-json", "-4", "route", "show", "default"]) or "[]")
    if not default:
        return 1500
    mtu = int(Path("/sys/class/net", default[0]["dev"], "mtu").read_text())
    return max(_SMALLEST_MTU, min(mtu, 1500))


def rules(lab: str, subnet: IPv4Network) -> list[list[str]]:
    """iptables arguments (after ``-t``) of everything a lab adds, chains first, then their rules, then the jumps."""
    bridge, chain = names.bridge(lab), names.chain(lab)
    return [
        # Bridged frames come here too where br_netfilter is on, so the bridge's own traffic is let through as well.
        ["filter", "-A", chain, "-i", bridge, "-j", "ACCEPT"],
        ["filter", "-A", chain, "-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"],
        # Not by destination: pods' addresses are none of the subnet's, and must not be masked between hosts.
        ["nat", "-A", chain, "-s", str(subnet), "!", "-o", bridge, "-j", "MASQUERADE"],
    ]


def _jumps(lab: str) -> list[tuple[str, str, str]]:
    chain = names.chain(lab)
    return [("filter", "FORWARD", chain), ("nat", "POSTROUTING", chain)]


def _iptables(table: str, *arguments: str) -> list[str]:
    return ["iptables", "--wait", "-t", table, *arguments]


def ensure_network(lab: str, subnet: IPv4Network) -> None:
    """Creates the bridge and the rules as far as they are missing.

    Raises:
        KubikkError: the subnet meanwhile overlaps another route of the machine, or a program fails.
    """
    bridge = names.bridge(lab)
    for route in machine_routes(except_bridge=bridge):
        if route.overlaps(subnet):
            raise KubikkError(
                f"The network {subnet} of lab {lab} is taken by another route of this machine, {route}",
                remedy=f"Take the lab down (`kubikk lab down --name {lab}`) and make it again.",
            )
    if not Path("/sys/class/net", bridge).exists():
        # With an address of its own the bridge keeps it when a port leaves; the hosts' neighbour entries stay right.
        run(["ip", "link", "add", bridge, "address", names.bridge_mac(lab), "type", "bridge"])
    run(["ip", "address", "replace", f"{gateway(subnet)}/{subnet.prefixlen}", "dev", bridge])
    if machine_has_ipv6():
        run(["ip", "address", "replace", f"{ipv6_address(gateway(subnet))}/64", "dev", bridge, "nodad"])
    run(["ip", "link", "set", bridge, "mtu", str(uplink_mtu()), "up"])
    for table, _, chain in _jumps(lab):
        if not succeeds(_iptables(table, "-n", "-L", chain)):
            run(_iptables(table, "-N", chain))
    for table, _, *rule in rules(lab, subnet):
        if not succeeds(_iptables(table, "-C", *rule)):
            run(_iptables(table, "-A", *rule))
    for table, parent, chain in _jumps(lab):
        if not succeeds(_iptables(table, "-C", parent, "-j", chain)):
            run(_iptables(table, "-I", parent, "-j", chain))


def remove_network(lab: str) -> None:
    """Removes the lab's rules, the hosts' cables that are left, and the bridge; whatever of it is there."""
    for table, parent, chain in _jumps(lab):
        while succeeds(_iptables(table, "-D", parent, "-j", chain)):
            pass
        if succeeds(_iptables(table, "-F", chain)):
            run(_iptables(table, "-X", chain))
    bridge = names.bridge(lab)
    ports = Path("/sys/class/net", bridge, "brif")
    if ports.is_dir():
        for port in ports.iterdir():
            remove_link(port.name)
    remove_link(bridge)


def remove_link(interface: str) -> None:
    """Removes an interface; nothing happens where it is gone, or goes by itself meanwhile."""
    if Path("/sys/class/net", interface).exists() and not succeeds(["ip", "link", "delete", interface]):
        present = Path("/sys/class/net", interface).exists()
        if present:
            raise KubikkError(f"The network interface {interface} cannot be removed")
