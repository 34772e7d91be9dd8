"""Whether hosts are fit for what is about to be done."""

from __future__ import annotations

from collections.abc import Collection

from kubikk.errors import KubikkError, Problem, ProblemsError
from kubikk.hosts.preflight import PreflightReport, preflight
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress

VERSIONS = "versions"
"""The check that hosts run the version of the cluster file."""


def require_fit(
    workspace: Workspace, progress: Progress, become_password: str | None, *, beside: Collection[str] = ()
) -> frozenset[str]:
    """Probes the hosts; goes on without workers that do not answer, and stops at everything else that is wrong.

    Args:
        workspace: the cluster and its directory.
        progress: told of warnings.
        become_password: sudo's password, where it wants one.
        beside: names of checks that what is to be done makes good.

    Returns:
        Names of the workers that do not answer.

    Raises:
        ProblemsError: with every error that was found.
    """
    progress.start("preflight")
    found = preflight(workspace.cluster, become_password=become_password)
    report = PreflightReport(tuple(finding for finding in found.findings if finding.check not in beside))
    progress.finish("preflight", f"{len(report.errors)} errors, {len(report.warnings)} warnings")
    return _refuse_unfit(workspace, report, progress)


def _refuse_unfit(workspace: Workspace, report: PreflightReport, progress: Progress) -> frozenset[str]:
    for finding in report.warnings:
        progress.log(f"warning: {finding.host}: {finding.message}")
    workers = {host.name for host in workspace.cluster.worker_hosts}
    essential = {host.name for host in (*workspace.cluster.control_plane_hosts, *workspace.cluster.etcd_hosts)}
    lost = frozenset(name for name in report.unreachable if name in workers - essential)
    serious = [finding for finding in report.errors if finding.host not in lost]
    for finding in report.errors:
        if finding.host in lost:
            progress.log(f"warning: {finding.host}: {finding.message}: the others go on without it")
    if serious:
        problems = [
            Problem(finding.message, key=finding.host, remedy=finding.remedy, code=finding.code) for finding in serious
        ]
        raise ProblemsError("hosts are not fit for the cluster", problems)
    if not (workers | essential) - lost:
        raise KubikkError("no host answers")
    return lost
