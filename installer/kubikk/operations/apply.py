"""``up``: from bare hosts to a running cluster, and from any state back to it."""

from __future__ import annotations

from kubikk.ansible.lock import cluster_lock
from kubikk.errors import KubikkError, Problem, ProblemsError
from kubikk.hosts.preflight import PreflightReport, preflight
from kubikk.operations.prepare import prepare
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def up(workspace: Workspace, progress: Progress, options: RunOptions, *, check: bool = True) -> RunResult:
    """Brings a cluster into the state that its file describes.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.
        check: whether to probe hosts first.

    Raises:
        KubikkError: another run is under way, an artifact cannot be had, or hosts are not fit for it.
    """
    with cluster_lock(workspace.directory) as lock:
        prepare(workspace, progress)
        if check:
            progress.start("preflight")
            report = preflight(workspace.cluster, become_password=options.become_password)
            progress.finish("preflight", f"{len(report.errors)} errors, {len(report.warnings)} warnings")
            refuse_unfit(workspace, report, progress)
        return run(workspace, "up", "cluster.yml", options, lock)


def refuse_unfit(workspace: Workspace, report: PreflightReport, progress: Progress) -> None:
    """Goes on without workers that do not answer, and stops at everything else that is wrong.

    Raises:
        ProblemsError: with every error that was found.
    """
    for finding in report.warnings:
        progress.log(f"warning: {finding.host}: {finding.message}")
    workers = {host.name for host in workspace.cluster.worker_hosts}
    essential = {host.name for host in (*workspace.cluster.control_plane_hosts, *workspace.cluster.etcd_hosts)}
    lost = {name for name in report.unreachable if name in workers - essential}
    serious = [finding for finding in report.errors if finding.host not in lost]
    for finding in report.errors:
        if finding.host in lost:
            progress.log(f"warning: {finding.host}: {finding.message}: the others go on without it")
    if serious:
        problems = [Problem(finding.message, key=finding.host, remedy=finding.remedy) for finding in serious]
        raise ProblemsError("hosts are not fit for the cluster", problems)
    if not (workers | essential) - lost:
        raise KubikkError("no host answers")
