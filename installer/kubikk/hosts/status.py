"""How a cluster is: every component on every host, nodes, certificates."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError
from kubikk.hosts.components import question
from kubikk.hosts.etcd import EtcdStatus, ask_members
from kubikk.hosts.nodes import NodeStatus, nodes
from kubikk.hosts.probes import connections, run_on_all
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Answer
from kubikk.pki import CertificateInfo, certificates, describe


@dataclass(frozen=True)
class ComponentStatus:
    """A component on a host.

    Attributes:
        name: the component, for example kube-apiserver.
        installed: whether its systemd service exists.
        active: the service's state, for example active, failed, activating.
        enabled: whether it starts at boot.
        since: when it became active, or None.
        restarts: how often systemd has started it again by itself.
        version: "" where unknown.
        problem: what its health check found; "" where nothing.
    """

    name: str
    installed: bool
    active: str
    enabled: bool
    since: datetime | None
    restarts: int
    version: str
    problem: str

    @property
    def healthy(self) -> bool:
        """Whether it runs, and its health check found nothing."""
        return self.active == "active" and not self.problem

    def to_dict(self) -> dict[str, Any]:
        """For JSON; times in ISO 8601."""
        since = self.since.isoformat(timespec="seconds") if self.since else None
        return {**asdict(self), "since": since, "healthy": self.healthy}


@dataclass(frozen=True)
class HostStatus:
    """A host.

    Attributes:
        name: in the cluster file.
        address: its address.
        roles: its roles.
        components: in the order they are started.
        certificates: those that lie on it.
        error: why nothing is known, or None.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    components: tuple[ComponentStatus, ...] = ()
    certificates: tuple[CertificateInfo, ...] = ()
    error: KubikkError | None = None

    @property
    def healthy(self) -> bool:
        """Whether it answers and all its components are well."""
        return self.error is None and all(component.healthy for component in self.components)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "address": self.address,
            "roles": list(self.roles),
            "healthy": self.healthy,
            "error": _error(self.error),
            "components": [component.to_dict() for component in self.components],
            "certificates": [certificate.to_dict() for certificate in self.certificates],
        }


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster.

    Attributes:
        name: its name.
        time: when it was looked at.
        hosts: in the cluster file's order.
        nodes: by name; none where the API does not answer.
        api_error: why the API does not answer, or None.
        certificates: those in the PKI directory on this machine.
        etcd: its members, alarms and snapshots.
    """

    name: str
    time: datetime
    hosts: tuple[HostStatus, ...]
    nodes: tuple[NodeStatus, ...]
    api_error: KubikkError | None
    certificates: tuple[CertificateInfo, ...]
    etcd: EtcdStatus = field(default_factory=lambda: EtcdStatus((), ()))

    @property
    def healthy(self) -> bool:
        """Whether all hosts are well, the API answers, and every host that should be a node is a Ready one."""
        ready = {node.name for node in self.nodes if node.ready}
        expected = {host.name for host in self.hosts if {"control-plane", "worker"} & set(host.roles)}
        well = self.api_error is None and not self.etcd.problems
        return well and expected <= ready and all(host.healthy for host in self.hosts)

    def expiring(self, within: timedelta) -> tuple[tuple[str, CertificateInfo], ...]:
        """Certificates that expire soon, the first to expire first.

        Args:
            within: how soon.

        Returns:
            The host's name ("" for those on this machine) and the certificate.
        """
        everywhere = [("", certificate) for certificate in self.certificates]
        everywhere += [(host.name, certificate) for host in self.hosts for certificate in host.certificates]
        soon = [entry for entry in everywhere if entry[1].not_after - self.time <= within]
        return tuple(sorted(soon, key=lambda entry: (entry[1].not_after, entry[0], entry[1].path)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; times in ISO 8601."""
        return {
            "name": self.name,
            "time": self.time.isoformat(timespec="seconds"),
            "healthy": self.healthy,
            "hosts": [host.to_dict() for host in self.hosts],
            "nodes": [node.to_dict() for node in self.nodes],
            "api_error": _error(self.api_error),
            "etcd": {
                "members": [asdict(member) for member in self.etcd.members],
                "hosts": [host.to_dict() for host in self.etcd.hosts],
                "problems": list(self.etcd.problems),
            },
            "certificates": [certificate.to_dict() for certificate in self.certificates],
        }


def _error(error: KubikkError | None) -> dict[str, Any] | None:
    return error.to_dict() if error else None


def status(cluster: Cluster, directory: Path, *, become_password: str | None = None) -> ClusterStatus:
    """Looks at a cluster. Whatever does not answer is part of the result, not an error.

    Args:
        cluster: the cluster.
        directory: ``inventory/<name>``, for its certificates.
        become_password: sudo's password, where it wants one.

    Raises:
        KubikkError: a certificate on this machine cannot be read.
    """
    now = datetime.now(UTC)
    own = tuple(certificates(directory / "pki"))
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(_nodes, cluster, directory / "pki")
        with connections(cluster, become_password) as found:
            etcd = ask_members(cluster, found)
            answers = run_on_all(cluster, found, source("components"), lambda host: question(cluster, host))
        known, api_error = asked.result()
    hosts = tuple(read_host(host, answers[host.name], now) for host in cluster.hosts)
    return ClusterStatus(cluster.name, now, hosts, known, api_error, own, etcd)


def _nodes(cluster: Cluster, pki: Path) -> tuple[tuple[NodeStatus, ...], KubikkError | None]:
    try:
        return nodes(cluster, pki), None
    except KubikkError as error:
        return (), error


def read_host(host: Host, answer: Answer | KubikkError, now: datetime) -> HostStatus:
    """A host's status from what it answered.

    Args:
        host: the host.
        answer: of ``programs/components.py``, or why there is none.
        now: the time.
    """
    if isinstance(answer, KubikkError):
        return HostStatus(host.name, host.address, host.roles, error=answer)
    components = tuple(
        ComponentStatus(
            name=name,
            installed=said["installed"],
            active=said["active"],
            enabled=said["enabled"],
            since=now - timedelta(seconds=said["seconds"]) if said["active"] == "active" and said["seconds"] else None,
            restarts=said["restarts"],
            version=said["version"],
            problem=said["problem"] if said["installed"] else "it is not installed",
        )
        for name, said in answer.data["components"].items()
    )
    found = []
    for path, content in sorted(answer.data["certificates"].items()):
        try:
            found.append(describe(path, content.encode()))
        except KubikkError as error:
            return HostStatus(host.name, host.address, host.roles, components, error=error)
    return HostStatus(host.name, host.address, host.roles, components, tuple(found))
