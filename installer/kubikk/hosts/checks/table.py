"""All checks, in the order they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubikk.cluster import Cluster
from kubikk.error_codes import (
    CERTIFICATE_EXPIRED,
    CLOCK_SKEW,
    DISK_FULL,
    NOT_FIT,
    PORT_CLOSED,
    PORT_TAKEN,
    UPGRADE_NEEDED,
    Code,
)
from kubikk.hosts.checks import identity, leftovers, network, resources, system
from kubikk.hosts.checks.view import Fault, View
from kubikk.hosts.findings import Finding
from kubikk.hosts.probes import HostProbe
from kubikk.hosts.reachability import Attempt

CONNECTION = "connection"
"""The check that fails where a host cannot be asked at all."""

REACHABILITY = "reachability"


@dataclass(frozen=True)
class Check:
    """A check of one host.

    Attributes:
        name: what it is called.
        find: yields what is wrong.
        fine: what is told where nothing is.
        code: which of the known failures an error of it is.
    """

    name: str
    find: Callable[[View], Iterable[Fault]]
    fine: str
    code: Code = NOT_FIT


CHECKS = (
    Check("os", system.check_os, "the distribution is supported"),
    Check("architecture", system.check_architecture, "the processor is the one the cluster file says"),
    Check("root", system.check_root, "root, directly or with sudo"),
    Check("systemd", system.check_systemd, "systemd is the first process"),
    Check("kernel", system.check_kernel, "the kernel has what is needed"),
    Check("cgroup", system.check_cgroup, "cgroup v2 with all controllers"),
    Check("memory", resources.check_memory, "enough memory"),
    Check("disk", resources.check_disk, "enough free space", DISK_FULL),
    Check("swap", resources.check_swap, "no swap"),
    Check("clock", resources.check_clock, "the clock agrees with this machine's", CLOCK_SKEW),
    Check("machine-id", identity.check_machine_id, "a machine-id of its own"),
    Check("address", identity.check_address, "the address is the host's own"),
    Check("route", network.check_route, "there is a default route"),
    Check("networks", network.check_networks, "pods and Services keep their networks"),
    Check("ports", network.check_ports, "the ports needed are free", PORT_TAKEN),
    Check("vxlan", network.check_vxlan, "no other VXLAN in the way"),
    Check("firewall", network.check_firewall, "no firewalld and no ufw"),
    Check("selinux", network.check_selinux, "SELinux is not enforcing"),
    Check("kubeadm", leftovers.check_kubeadm, "nothing is left of kubeadm"),
    Check("other-kubernetes", leftovers.check_distributions, "no other distribution of Kubernetes"),
    Check("services", leftovers.check_services, "no service of the same name from elsewhere"),
    Check("runtimes", leftovers.check_runtimes, "no other container runtime"),
    Check("cni", leftovers.check_cni, "no other pod network"),
    Check("etcd-data", leftovers.check_etcd_data, "no data of another etcd"),
    Check("versions", system.check_versions, "no other version of Kubernetes runs", UPGRADE_NEEDED),
    Check("certificate", identity.check_certificate, "kubelet's certificate is valid", CERTIFICATE_EXPIRED),
)


def examine(cluster: Cluster, probes: Mapping[str, HostProbe], attempts: list[Attempt]) -> tuple[Finding, ...]:
    """Runs all checks.

    Args:
        cluster: the cluster.
        probes: what is known of its hosts, by name.
        attempts: connections tried between hosts.

    Returns:
        Findings by host in the cluster's order, each host's in the table's order.
    """
    known = {name: probe.facts for name, probe in probes.items() if probe.facts}
    shared: dict[str, list[tuple[str, Fault]]] = {}
    for check, name, fault in identity.shared(known):
        shared.setdefault(name, []).append((check, fault))
    opens = cluster.network.firewall == "open"
    opening = [name for name, facts in known.items() if opens and network.firewalls(facts)]
    for name, fault in network.unreached(attempts, opening):
        shared.setdefault(name, []).append((REACHABILITY, fault))
    reached = {attempt.target for attempt in attempts}
    findings: list[Finding] = []
    for host in cluster.hosts:
        probe = probes[host.name]
        if probe.facts is None:
            findings.append(_unreachable(probe))
            continue
        findings.append(Finding("ok", CONNECTION, host.name, "SSH, host key and login work"))
        view = View(cluster, host, probe.facts, probe.clock, probe.clock_error)
        findings += _of_host(view, shared.get(host.name, []), host.name in reached)
    return tuple(findings)


def _unreachable(probe: HostProbe) -> Finding:
    error = probe.error
    if error is None:
        return Finding("error", CONNECTION, probe.host, "nothing is known of the host", "Try again.")
    message = error.message + (f": {error.cause}" if error.cause else "")
    return Finding("error", CONNECTION, probe.host, message, error.remedy or "", error.code)


def _of_host(view: View, shared: list[tuple[str, Fault]], reached: bool) -> Iterator[Finding]:
    name = view.host.name
    fine = {"hostname": "a name of its own"} | ({REACHABILITY: "other hosts reach its ports"} if reached else {})
    # Without root, much of what is asked for cannot be seen.
    checks = CHECKS if view.facts.root else tuple(check for check in CHECKS if check.name in ("os", "root"))
    for check in checks:
        faults = [*check.find(view), *(fault for its, fault in shared if its == check.name)]
        yield from _findings(check.name, name, faults, check.fine, check.code)
    for extra, text in fine.items():
        code = PORT_CLOSED if extra == REACHABILITY else NOT_FIT
        yield from _findings(extra, name, [fault for its, fault in shared if its == extra], text, code)


def _findings(check: str, host: str, faults: list[Fault], fine: str, code: Code) -> Iterator[Finding]:
    for fault in faults:
        known = code if fault.level == "error" else None
        yield Finding(fault.level, check, host, fault.message, fault.remedy, known)
    if not faults:
        yield Finding("ok", check, host, fine)
