"""``etcd restore``: the whole cluster from a snapshot, or from the only member that is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kubikk.ansible.lock import cluster_lock
from kubikk.error_codes import SNAPSHOT_FAILED
from kubikk.errors import KubikkError
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.snapshots import take
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress

_BLOCK, _DIGEST = 512, 32


def restore(
    workspace: Workspace, progress: Progress, options: RunOptions, *, file: Path | None, member: str | None
) -> RunResult:
    """Gives all members the data of one snapshot, and brings the cluster up on it.

    The hosts are those of the cluster file, the same as before or fresh ones. Before anything is stopped, every member
    has its new data beside the old, which is kept. Interrupted, the same command again does all of it again.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.
        file: the snapshot; None where it is taken of a member.
        member: the host of the only member that is left; None where there is a file.

    Raises:
        KubikkError: another run is under way, a host is not fit, or the snapshot is not good.
    """
    password = options.become_password
    if file is not None:
        require_snapshot(file)
    elif member not in {host.name for host in workspace.cluster.etcd_hosts}:
        raise KubikkError(f"{member} runs no etcd by the cluster file")
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "etcd-restore") as record:
        require_fit(workspace, progress, password)
        with hosts_lock(workspace.cluster, become_password=password, majority=False):
            prepare(workspace, progress)
            if file is None:
                assert member is not None  # noqa: S101 (one of both is given)
                alone = replace(options, variables={"etcd_snapshot_alone": True})
                with recorded(workspace, "etcd-snapshot") as first:
                    file = take(workspace, alone, lock, member, record=first).file
                progress.log(f"taken of {member}: {file}")
            variables = {"etcd_restore_snapshot": str(file.absolute()), "etcd_restore_stamp": _stamp()}
            return run(
                workspace,
                "etcd-restore",
                "etcd_restore.yml",
                replace(options, variables=variables),
                lock,
                record=record,
            )


def require_snapshot(file: Path) -> None:
    """Refuses what cannot be a snapshot of etcd before any host is asked; the members look closer.

    Args:
        file: a database of pages, and its sha256 at the end.

    Raises:
        KubikkError: it is none.
    """
    if not file.is_file():
        raise KubikkError(f"there is no file {file}", remedy="`ls inventory/<cluster>/snapshots` lists what there is")
    size = file.stat().st_size
    if size <= _BLOCK or size % _BLOCK != _DIGEST:
        cause = f"it has {size} bytes; a snapshot is a number of pages and a checksum of {_DIGEST} bytes"
        raise KubikkError(f"{file} is no whole snapshot of etcd", cause=cause, code=SNAPSHOT_FAILED)


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
