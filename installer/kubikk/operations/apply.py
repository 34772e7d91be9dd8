"""``up``: from bare hosts to a running cluster, and from any state back to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kubikk.ansible.lock import cluster_lock
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.fitness import require_fit
from kubikk.operations.plan import plan_under_lock, require_unchanged
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.removal import unfinished_hosts
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def up(
    workspace: Workspace, progress: Progress, options: RunOptions, *, check: bool = True, plan: Path | None = None
) -> RunResult:
    """Brings a cluster into the state that its file describes.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.
        check: whether to probe hosts first.
        plan: a file of ``kubikk plan -o``; nothing is done unless exactly that would be done.

    Raises:
        KubikkError: another run is under way, an artifact cannot be had, hosts are not fit for it, or something else
            would happen than was planned.
    """
    password = options.become_password
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "up") as record:
        for name in unfinished_hosts(workspace):
            progress.log(f"warning: {name}: its removal is not finished: `kubikk node remove {name}` goes on with it")
        if check:
            options = replace(options, lost=require_fit(workspace, progress, password))
        with hosts_lock(workspace.cluster, become_password=password):
            if plan is not None:
                require_unchanged(plan_under_lock(workspace, progress, options, lock), plan)
            prepare(workspace, progress)
            return run(workspace, "up", "cluster.yml", options, lock, record=record)
