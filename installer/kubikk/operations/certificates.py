"""``certs``: when certificates expire, and new ones for all that uses them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kubikk import pki
from kubikk.ansible.lock import cluster_lock
from kubikk.hosts.lock import hosts_lock
from kubikk.hosts.status import status
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.pki import CertificateInfo
from kubikk.progress import Progress


@dataclass(frozen=True)
class Found:
    """Certificates of a cluster.

    Attributes:
        cluster: its name.
        time: when they were looked at.
        certificates: host ("" for this machine) and certificate, the first to expire first.
        silent: hosts that did not answer -> why.
    """

    cluster: str
    time: datetime
    certificates: tuple[tuple[str, CertificateInfo], ...]
    silent: dict[str, str]

    def expiring(self, days: int) -> list[tuple[str, CertificateInfo]]:
        """Those that have expired or will within some days."""
        return [entry for entry in self.certificates if entry[1].not_after <= self.time + timedelta(days=days)]


def everywhere(workspace: Workspace, become_password: str | None = None) -> Found:
    """Looks at the certificates on this machine and on all hosts.

    Args:
        workspace: the cluster and its directory.
        become_password: sudo's password, where it wants one.

    Raises:
        KubikkError: a certificate on this machine cannot be read.
    """
    report = status(workspace.cluster, workspace.directory, become_password=become_password)
    silent = {host.name: host.error.message for host in report.hosts if host.error is not None}
    return Found(workspace.cluster.name, report.time, report.expiring(timedelta.max), silent)


def renew(workspace: Workspace, progress: Progress, options: RunOptions) -> RunResult:
    """Issues every leaf certificate anew and brings them to the hosts, as ``up`` does.

    Interrupted anywhere, the next ``up`` brings the rest.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way, or hosts are not fit.
    """
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "certs-renew") as record:
        require_fit(workspace, progress, options.become_password)
        with hosts_lock(workspace.cluster, become_password=options.become_password):
            issued = pki.ensure(workspace.cluster, workspace.pki, now=datetime.now(UTC), renew=True)
            progress.log(f"{len(issued.issued)} certificates are issued anew")
            prepare(workspace, progress)
            return run(workspace, "certs-renew", "cluster.yml", options, lock, record=record)
