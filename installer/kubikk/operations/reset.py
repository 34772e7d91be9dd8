"""``reset``: takes Kubernetes off hosts, data included."""

from __future__ import annotations

from kubikk.ansible.lock import cluster_lock
from kubikk.error_codes import QUORUM_AT_RISK
from kubikk.errors import KubikkError
from kubikk.hosts.lock import hosts_lock
from kubikk.hosts.status import ClusterStatus, status
from kubikk.operations.api import administrator
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def reset(workspace: Workspace, progress: Progress, options: RunOptions) -> RunResult:
    """Stops and removes everything that ``up`` installed, from all hosts or from those that the options name.

    Certificates and the cluster file stay in ``inventory/<name>``. Of single hosts the Nodes are deleted, too.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way, or the hosts that stay would be left without a quorum of etcd.
    """
    gone = set(options.limit)
    part = bool(gone) and gone < {host.name for host in workspace.cluster.hosts}
    # Also what is left of a cluster can be taken off.
    on_hosts = hosts_lock(workspace.cluster, become_password=options.become_password, majority=False)
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "reset") as record, on_hosts:
        if part:
            found = status(workspace.cluster, workspace.directory, become_password=options.become_password)
            require_quorum(found, {host.name for host in workspace.cluster.etcd_hosts}, gone)
        prepare(workspace, progress)
        result = run(workspace, "reset", "reset.yml", options, lock, record=record)
        if part:
            _delete_nodes(workspace, progress, gone - result.summary.failed.keys())
        return result


def require_quorum(found: ClusterStatus, members: set[str], gone: set[str]) -> None:
    """Refuses to take hosts away that etcd's majority needs.

    Args:
        found: how the cluster is.
        members: hosts with a member of etcd.
        gone: hosts that are to go.

    Raises:
        KubikkError: of the members that stay, too few are healthy.
    """
    if not members & gone:
        return
    healthy = {
        host.name for host in found.hosts for each in host.components if each.name == "etcd" and each.healthy
    } & members
    needed, left = len(members) // 2 + 1, healthy - gone
    if len(left) < needed:
        staying = f"only {', '.join(sorted(left))} would stay" if left else "none would stay"
        raise KubikkError(
            f"without {', '.join(sorted(members & gone))} etcd would lose its quorum; nothing was touched",
            cause=f"of its {len(members)} members {needed} must be healthy, and {staying}",
            remedy="Take members out with `kubikk node remove`, which makes the others do without them, or reset the "
            "whole cluster with `kubikk reset` without naming hosts.",
            code=QUORUM_AT_RISK,
        )


def _delete_nodes(workspace: Workspace, progress: Progress, names: set[str]) -> None:
    """Takes hosts out of the API, so that no pod is thought to run there; ``up`` brings them in again."""
    try:
        with administrator(workspace) as client:
            for name in sorted(names):
                answer = client.delete(f"/api/v1/nodes/{name}")
                if answer.status_code not in (200, 404):
                    progress.log(f"warning: Node {name} cannot be deleted: the API answers {answer.status_code}")
    except KubikkError as error:
        shown = ", ".join(sorted(names))
        progress.log(f"warning: {error.message}: delete the Nodes yourself: kubectl delete node {shown}")
