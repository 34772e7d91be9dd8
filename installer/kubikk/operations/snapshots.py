"""``etcd snapshot``: everything that the cluster knows, in one verified file on this machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubikk.ansible.events import Event
from kubikk.ansible.lock import cluster_lock
from kubikk.error_codes import SNAPSHOT_FAILED
from kubikk.errors import KubikkError
from kubikk.hosts.etcd import etcd_status
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress

PATTERN = "etcd-*.db"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot on this machine.

    Attributes:
        file: where it lies, readable by its owner only.
        member: the member it was taken of.
        time: when, for example 20261125T015500Z.
        revision: etcd's revision that it holds.
        hash: over all keys at that revision, the same in etcd and in a scratch member that was started on it.
        keys: their number, in both.
        bytes: size of the file.
        sha256: of the file.
        seconds: how long taking and verifying took.
    """

    file: Path
    member: str
    time: str
    revision: int
    hash: int
    keys: int
    bytes: int
    sha256: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "file": str(self.file)}


def directory(workspace: Workspace) -> Path:
    """Where a cluster's snapshots lie on this machine."""
    return workspace.directory / "snapshots"


def snapshot(workspace: Workspace, progress: Progress, options: RunOptions, output: Path | None = None) -> Snapshot:
    """Takes a snapshot, verifies it on the member's host, and fetches it.

    Args:
        workspace: the cluster and its directory.
        progress: told what is done.
        options: what the operator says about the run.
        output: the file to write instead of one in ``inventory/<name>/snapshots``; its directory must be there.

    Raises:
        KubikkError: another run is under way, no member is well, or the snapshot is not good.
    """
    password = options.become_password
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "etcd-snapshot") as record:
        if output is not None and not output.absolute().parent.is_dir():
            raise KubikkError(f"{output.parent} is no directory", remedy="make it first, or name another file")
        progress.start("etcd")
        member = etcd_status(workspace.cluster, password).best().host
        progress.finish("etcd", f"{member} is well")
        # Only one step on one host: not the whole cluster has to be free of other runs, and half of it may be down.
        with hosts_lock(workspace.cluster, become_password=password, majority=False):
            prepare(workspace, progress)
            return take(workspace, options, lock, member, record=record, output=output)


def take(
    workspace: Workspace, options: RunOptions, lock: int, member: str, *, record: Path, output: Path | None = None
) -> Snapshot:
    """``snapshot`` of one member, for a caller that holds the locks and has brought the inventory up to date.

    Args:
        workspace: the cluster and its directory.
        options: what the operator says about the run.
        lock: descriptor of the cluster's lock.
        member: the host to ask.
        record: the run's directory in the journal.
        output: as in ``snapshot``.

    Raises:
        KubikkError: the snapshot is not good.
    """
    found: list[dict[str, Any]] = []

    def follow(event: Event) -> None:
        if event.result.get("snapshot"):
            found.append(event.result["snapshot"])
        options.on_event(event)

    result = run(
        workspace,
        "etcd-snapshot",
        "etcd_snapshot.yml",
        replace(options, limit=(member,), on_event=follow),
        lock,
        record=record,
    )
    for host in result.summary.failed.values():
        if host.error is not None:
            raise host.error
    if not found or "fetched" not in found[0]:
        raise KubikkError(f"{member} has taken no snapshot", host=member, code=SNAPSHOT_FAILED)
    (data,) = found
    file = Path(data["fetched"])
    if output is not None:
        shutil.move(file, output)
        file = output.absolute()
    _prune(directory(workspace), workspace.cluster.etcd.snapshots.keep)
    same = {key: data[key] for key in ("member", "time", "revision", "hash", "keys", "bytes", "sha256", "seconds")}
    return Snapshot(file=file, **same)


def _prune(where: Path, keep: int) -> None:
    """Deletes all but the newest snapshots."""
    for old in sorted(where.glob(PATTERN))[:-keep]:
        old.unlink()
