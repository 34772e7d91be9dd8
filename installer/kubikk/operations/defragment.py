"""``etcd defrag``: gives space that etcd no longer uses back to the file system."""

from __future__ import annotations

from dataclasses import replace

from kubikk.ansible.lock import cluster_lock
from kubikk.error_codes import QUORUM_AT_RISK
from kubikk.errors import KubikkError
from kubikk.hosts.etcd import EtcdStatus, etcd_status
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def defragment(workspace: Workspace, progress: Progress, options: RunOptions) -> RunResult:
    """Defragments one member after the other, the leader last. Each does not answer while its turn lasts.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way, or a member is not well: a pause of another could cost the quorum.
    """
    password = options.become_password
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "etcd-defrag") as record:
        order = turns(etcd_status(workspace.cluster, password))
        with hosts_lock(workspace.cluster, become_password=password):
            prepare(workspace, progress)
            variables = {"kubikk_etcd_order": order}
            return run(
                workspace, "etcd-defrag", "etcd_defrag.yml", replace(options, variables=variables), lock, record=record
            )


def turns(status: EtcdStatus) -> list[str]:
    """The hosts in the order of their turns, the leader last: it is spared until the others are done.

    Raises:
        KubikkError: a member is not well.
    """
    ill = [f"{host.host}: {host.problem}" for host in status.hosts if host.problem]
    if ill:
        raise KubikkError("not all members of etcd are well", cause="; ".join(ill), code=QUORUM_AT_RISK)
    return [host.host for host in sorted(status.hosts, key=lambda host: host.leader)]
