"""Asks all hosts at once; a host that does not answer is told of, not raised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError
from kubikk.hosts import layout
from kubikk.hosts.facts import HostFacts, read_facts
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Connection, Jumps, connect
from kubikk.hosts.ssh.programs import Answer

_AT_ONCE = 32

DISKS = ("/var/lib", "/opt")
MANIFESTS = "/etc/kubernetes/manifests"
CNI = "/etc/cni/net.d"
ETCD_DATA = "/var/lib/etcd"
FLANNEL = "/etc/kubernetes/flannel/net-conf.json"
CERTIFICATES = ("/var/lib/kubelet/pki/kubelet-client-current.pem",)
LISTED = (MANIFESTS, CNI, ETCD_DATA)
# Services of the distribution, and the file that tells that Kubikk set one up.
SHARED_SERVICES = {
    "containerd": "/etc/systemd/system/containerd.service.d/kubikk.conf",  # Docker's
    "docker": "/etc/systemd/system/docker.service.d/kubikk.conf",
    "haproxy": "/etc/haproxy/kubikk.cfg",
    "keepalived": "/etc/keepalived/kubikk.conf",
}
PRESENT = (
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/rancher/k3s",
    "/etc/rancher/rke2",
    "/var/lib/rancher/k3s",
    "/var/lib/rancher/rke2",
    "/var/lib/k0s",
    "/var/snap/microk8s",
    FLANNEL,
    *SHARED_SERVICES.values(),
)
UNITS = (
    *(
        "cloud-controller-manager",
        "containerd",
        "cri-docker",
        "crio",
        "docker",
        "etcd",
        "firewalld",
        "flanneld",
        "haproxy",
        "keepalived",
        "kube-apiserver",
    ),
    *("kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet", "k0scontroller", "k0sworker"),
    *("k3s", "k3s-agent", "rke2-agent", "rke2-server", "snap.microk8s.daemon-kubelite", "ufw"),
)

T = TypeVar("T")


@dataclass(frozen=True)
class HostProbe:
    """What came of probing a host: facts, or an error.

    Attributes:
        host: name in the cluster file.
        facts: what is known, or None.
        clock: seconds that its clock is ahead of this machine's.
        clock_error: seconds by which that may be wrong.
        error: why nothing is known, or None.
    """

    host: str
    facts: HostFacts | None = None
    clock: float = 0.0
    clock_error: float = 0.0
    error: KubikkError | None = None


@dataclass(frozen=True)
class Connections:
    """Open connections to hosts, and why there is none to the others; by name.

    Attributes:
        opened: hosts that answer.
        failed: hosts that do not.
    """

    opened: Mapping[str, Connection]
    failed: Mapping[str, KubikkError]


def on_each(hosts: tuple[Host, ...], work: Callable[[Host], T]) -> dict[str, T | KubikkError]:
    """Does something for all hosts at once.

    Args:
        hosts: the hosts.
        work: called from several threads.

    Returns:
        By name what it returned, or the KubikkError it raised.
    """

    def attempt(host: Host) -> T | KubikkError:
        try:
            return work(host)
        except KubikkError as error:
            return error

    with ThreadPoolExecutor(max_workers=max(1, min(_AT_ONCE, len(hosts)))) as pool:
        return dict(zip((host.name for host in hosts), pool.map(attempt, hosts), strict=True))


@contextmanager
def connections(
    cluster: Cluster, become_password: str | None = None, only: Collection[str] | None = None
) -> Iterator[Connections]:
    """Connects to hosts of a cluster; everything is closed at the end.

    Args:
        cluster: the cluster.
        become_password: sudo's password, where it wants one.
        only: names of hosts; all where None.
    """
    hosts = tuple(host for host in cluster.hosts if only is None or host.name in only)
    with Jumps() as jumps:
        found = on_each(hosts, lambda host: connect(cluster, host, jumps, become_password=become_password))
        opened = {name: result for name, result in found.items() if isinstance(result, Connection)}
        try:
            yield Connections(
                opened, {name: result for name, result in found.items() if isinstance(result, KubikkError)}
            )
        finally:
            for connection in opened.values():
                connection.close()


def question(cluster: Cluster, host: Host) -> dict[str, Any]:
    """What a host is asked, as ``programs/facts.py`` wants it."""
    ports = layout.ports(cluster, host)
    return {
        "paths": list(DISKS),
        "listed": list(LISTED),
        "present": list(PRESENT),
        "ports": {
            protocol: sorted({port.number for port in ports if port.protocol == protocol})
            for protocol in ("tcp", "udp")
        },
        "units": list(UNITS),
        "certificates": list(CERTIFICATES),
    }


def run_on_all(
    cluster: Cluster, found: Connections, program: str, data: Callable[[Host], Mapping[str, Any]]
) -> dict[str, Answer | KubikkError]:
    """Runs a program on all hosts of a cluster.

    Args:
        cluster: the cluster.
        found: connections to its hosts.
        program: source text.
        data: what the program is given on each host.

    Returns:
        By name, in the cluster's order, the answer or what went wrong.
    """
    hosts = tuple(host for host in cluster.hosts if host.name in found.opened)
    answers = on_each(hosts, lambda host: found.opened[host.name].run(program, data(host)))
    return {host.name: answers.get(host.name) or found.failed[host.name] for host in cluster.hosts}


def probe_all(cluster: Cluster, found: Connections) -> dict[str, HostProbe]:
    """Gathers the facts of all hosts.

    Args:
        cluster: the cluster.
        found: connections to its hosts.

    Returns:
        By name, in the cluster's order.
    """
    answers = run_on_all(cluster, found, source("facts"), lambda host: question(cluster, host))
    return {name: _probe(name, answer) for name, answer in answers.items()}


def _probe(host: str, answer: Answer | KubikkError) -> HostProbe:
    if isinstance(answer, KubikkError):
        return HostProbe(host, error=answer)
    try:
        facts = read_facts(answer.data, host)
    except KubikkError as error:
        return HostProbe(host, error=error)
    return HostProbe(host, facts, answer.clock, answer.clock_error)
