"""``reset``: takes Kubernetes off hosts, data included."""

from __future__ import annotations

from kubikk.ansible.lock import cluster_lock
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def reset(workspace: Workspace, progress: Progress, options: RunOptions) -> RunResult:
    """Stops and removes everything that ``up`` installed.

    Certificates and the cluster file stay in ``inventory/<name>``.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way.
    """
    # Also what is left of a cluster can be taken off.
    on_hosts = hosts_lock(workspace.cluster, become_password=options.become_password, majority=False)
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "reset") as record, on_hosts:
        prepare(workspace, progress)
        return run(workspace, "reset", "reset.yml", options, lock, record=record)
