"""``node remove``: takes hosts out of a cluster, also those that are dead for good."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kubikk import cluster
from kubikk.ansible.lock import cluster_lock
from kubikk.cluster.editing import without_hosts
from kubikk.error_codes import UNREACHABLE
from kubikk.errors import KubikkError
from kubikk.hosts.etcd import ask_members
from kubikk.hosts.lock import hosts_lock
from kubikk.hosts.probes import connections
from kubikk.inventory.writing import replace as replace_file
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.pki.leaves import HOST_DIRECTORIES
from kubikk.progress import Progress


@dataclass(frozen=True)
class Removal:
    """What is to be removed.

    Attributes:
        before: the cluster with the hosts.
        after: the cluster without them; its file is the operator's.
        names: the hosts.
        dead: whether they are gone for good: nothing is done on them.
    """

    before: Workspace
    after: Workspace
    names: tuple[str, ...]
    dead: bool


def unfinished(file: Path) -> Path:
    """The cluster file as it was before a removal that is under way; beside it, so that relative paths in it hold."""
    return file.with_name(f".{file.name}.removing")


def unfinished_hosts(workspace: Workspace) -> tuple[str, ...]:
    """Hosts whose removal was begun and is not done."""
    former = unfinished(workspace.file)
    if not former.exists():
        return ()
    present = {host.name for host in workspace.cluster.hosts}
    return tuple(host.name for host in cluster.load(former).hosts if host.name not in present)


def remove(
    workspace: Workspace, progress: Progress, options: RunOptions, names: Sequence[str], *, dead: bool
) -> RunResult:
    """Takes hosts out of the cluster, one after the other, and out of its file.

    The file comes first, so that an ``up`` after an interruption does not bring them back; then the hosts that stay are
    told to do without them, as by ``up``; then pods move away, etcd's member is removed, the Node is deleted, and
    everything that was installed is taken off. The same command again goes on after an interruption.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.
        names: the hosts.
        dead: whether they are gone for good.

    Raises:
        KubikkError: another run is under way, a host is not in the file, the rest would be no cluster or have no
            quorum, or a host is dead that was not said to be, or the other way round.
    """
    password = options.become_password
    with cluster_lock(workspace.directory) as lock, recorded(workspace, "node-remove") as record:
        removal = plan_removal(workspace, names, dead=dead)
        _require_safe(removal, password)
        with hosts_lock(removal.after.cluster, become_password=password):
            require_fit(removal.after, progress, password)
            _write_file(removal)
            prepare(removal.after, progress)
            told = run(removal.after, "node-remove", "cluster.yml", options, lock, record=record)
            _require_success(told)
            with recorded(workspace, "node-remove") as second:
                prepare(removal.before, progress)
                chosen = replace(options, variables=_variables(removal))
                result = run(removal.before, "node-remove", "remove_node.yml", chosen, lock, record=second)
            if not result.summary.failed:
                _forget(removal)
                prepare(removal.after, progress)
            return result


def plan_removal(workspace: Workspace, names: Sequence[str], *, dead: bool) -> Removal:
    """What is to be removed, by the cluster file and what is left of a removal that was interrupted.

    Args:
        workspace: the cluster and its directory.
        names: the hosts.
        dead: whether they are gone for good.

    Raises:
        KubikkError: a host is unknown, or the rest would be no cluster.
    """
    begun = unfinished_hosts(workspace)
    if begun:
        if set(names) != set(begun):
            raise KubikkError(
                f"the removal of {', '.join(begun)} is not finished",
                remedy=f"run `kubikk node remove {' '.join(begun)}` first",
            )
        former = unfinished(workspace.file)
        before = Workspace(cluster.load(former), former, workspace.directory)
        return Removal(before, workspace, begun, dead)
    known = {host.name for host in workspace.cluster.hosts}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise KubikkError(
            f"no host {', '.join(unknown)} in the cluster file", remedy=f"hosts are {', '.join(sorted(known))}"
        )
    text = without_hosts(workspace.file.read_text(), names)
    # What is written is checked first, at a place where relative paths in it mean the same.
    trial = workspace.file.with_name(f".{workspace.file.name}.trial")
    mode = stat.S_IMODE(workspace.file.stat().st_mode)
    try:
        replace_file(trial, text.encode(), mode)
        try:
            after = cluster.load(trial)
        except KubikkError as error:
            reasons = "; ".join(problem.message for problem in getattr(error, "problems", [])) or error.message
            raise KubikkError(
                f"without {', '.join(names)} the cluster file would not be right",
                cause=reasons,
                remedy="Remove two members of etcd at once, give a dead one's name to a fresh host and run "
                "`kubikk up`, or set etcd.allow_even: docs/hosts.md.",
            ) from error
    finally:
        trial.unlink(missing_ok=True)
    if not {host.name for host in after.etcd_hosts} <= {host.name for host in workspace.cluster.etcd_hosts}:
        raise KubikkError(
            f"without {', '.join(names)} etcd would have to move to other hosts", remedy="add members of etcd first"
        )
    return Removal(workspace, replace(workspace, cluster=after), tuple(names), dead)


def _require_safe(removal: Removal, password: str | None) -> None:
    """Asks the hosts: which answer, and whether etcd keeps its quorum."""
    before = removal.before.cluster
    with connections(before, password) as found:
        for name in removal.names:
            if removal.dead and name in found.opened:
                raise KubikkError(f"{name} answers: it is not dead", remedy="run the command without --dead")
            if not removal.dead and name in found.failed:
                raise KubikkError(
                    f"{name} does not answer: nothing can be taken off it",
                    cause=found.failed[name].message,
                    remedy="bring it back, or say with --dead that it is gone for good",
                    code=found.failed[name].code or UNREACHABLE,
                )
        members = [host.name for host in before.etcd_hosts if host.name in removal.names]
        if members:
            ask_members(before, found).require_quorum_without(members)


def _write_file(removal: Removal) -> None:
    """Takes the hosts out of the cluster file; the former one is kept beside it until all is done."""
    file = removal.after.file
    former = unfinished(file)
    if not former.exists():
        text = file.read_text()
        mode = stat.S_IMODE(file.stat().st_mode)
        replace_file(former, text.encode(), mode)
        replace_file(file, without_hosts(text, removal.names).encode(), mode)


def _require_success(result: RunResult) -> None:
    """Goes on only where all hosts that stay have been told; a worker that does not answer will be told by ``up``."""
    for host in result.summary.failed.values():
        if host.error is not None and not host.unreachable:
            raise host.error


def _variables(removal: Removal) -> dict[str, str | bool | list[str]]:
    after = removal.after.cluster
    return {
        "kubikk_removed": list(removal.names),
        "kubikk_removed_are_dead": removal.dead,
        "kubikk_survivor": after.control_plane_hosts[0].name,
        "kubikk_etcd_survivor": after.etcd_hosts[0].name,
    }


def _forget(removal: Removal) -> None:
    """Deletes what this machine has of the hosts: their keys are of no use to anybody."""
    for name in removal.names:
        for directory in HOST_DIRECTORIES:
            shutil.rmtree(removal.after.pki / directory / name, ignore_errors=True)
    unfinished(removal.after.file).unlink(missing_ok=True)
