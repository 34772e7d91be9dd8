"""What a check looks at, and how it says what it found."""

from __future__ import annotations

from dataclasses import dataclass

from kubikk.cluster import Cluster, Host
from kubikk.hosts.facts import HostFacts, Listener
from kubikk.hosts.findings import Level
from kubikk.hosts.layout import OPT
from kubikk.hosts.probes import SHARED_SERVICES


@dataclass(frozen=True)
class Fault:
    """Something a check found: ``Finding`` without the check's and the host's name."""

    level: Level
    message: str
    remedy: str


def error(message: str, remedy: str) -> Fault:
    """The installation would fail, or harm something."""
    return Fault("error", message, remedy)


def warning(message: str, remedy: str) -> Fault:
    """Worth knowing."""
    return Fault("warning", message, remedy)


@dataclass(frozen=True)
class View:
    """One host, as a check sees it.

    Attributes:
        cluster: the cluster.
        host: the host in the cluster file.
        facts: what is known of it.
        clock: seconds that its clock is ahead of this machine's.
        clock_error: seconds by which that may be wrong.
    """

    cluster: Cluster
    host: Host
    facts: HostFacts
    clock: float = 0.0
    clock_error: float = 0.0

    def owns(self, listener: Listener) -> bool:
        """Whether a listener is Kubikk's own."""
        return self.owns_service(listener.unit.removesuffix(".service"), listener.executable)

    def owns_service(self, name: str, executable: str) -> bool:
        """Whether a running service is Kubikk's own.

        Args:
            name: without suffix.
            executable: the file that its process runs.
        """
        return executable.startswith(OPT) or SHARED_SERVICES.get(name, "") in self.facts.present
