"""``upgrade``: another version of Kubernetes on a running cluster, without an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubikk.ansible.lock import cluster_lock
from kubikk.cluster import load
from kubikk.cluster.skew import etcd_refusals, refusals
from kubikk.cluster.version_edit import with_version
from kubikk.cluster.versions import SUPPORTED
from kubikk.error_codes import UPGRADE_NEEDED
from kubikk.errors import KubikkError, Problem, ProblemsError
from kubikk.hosts.lock import hosts_lock
from kubikk.hosts.status import ClusterStatus, status
from kubikk.inventory.writing import replace as replace_file
from kubikk.operations.fitness import VERSIONS, require_fit
from kubikk.operations.prepare import prepare, wanted
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


@dataclass(frozen=True)
class Manner:
    """How workers are upgraded.

    Attributes:
        batch: how many at a time: a number, or a percentage such as ``25%``.
        drain_timeout: seconds that pods may take to leave a node; the cluster file's where None.
        force_drain: whether pods that do not leave in that time are deleted.
    """

    batch: str = "1"
    drain_timeout: int | None = None
    force_drain: bool = False

    def variables(self) -> dict[str, int | str | bool]:
        """For the playbook.

        Raises:
            KubikkError: the batch is neither a number nor a percentage.
        """
        digits = self.batch.removesuffix("%")
        if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
            raise KubikkError(f"--batch {self.batch} is neither a number of workers nor a percentage, as 2 or 25%")
        given: dict[str, int | str | bool] = {"upgrade_batch": self.batch, "upgrade_force_drain": self.force_drain}
        if self.drain_timeout is not None:
            given["upgrade_drain_timeout"] = self.drain_timeout
        return given


def upgrade(workspace: Workspace, progress: Progress, options: RunOptions, *, to: str, manner: Manner) -> RunResult:
    """Brings a running cluster to a version: etcd, API servers, controllers, nodes of the control plane, workers.

    Interrupted anywhere, or stopped by a host that did not get healthy, the same command goes on.

    Args:
        workspace: the cluster and its directory; its file is given the version.
        progress: told what is prepared.
        options: what the operator says about the run.
        to: for example ``v1.37.2``.
        manner: how workers are upgraded.

    Raises:
        ProblemsError: a version would be skipped or taken back, or the cluster is not well enough to be upgraded.
        KubikkError: another run is under way, or an artifact cannot be had.
    """
    target = at_version(workspace, to)
    options = replace(options, variables=manner.variables())
    password = options.become_password
    with cluster_lock(workspace.directory) as lock, recorded(target, "upgrade") as record:
        require_fit(target, progress, password, beside=(VERSIONS,))
        versions = {each.component: each.version for each in wanted(target.cluster)}
        require_upgradable(status(target.cluster, target.directory, become_password=password), to, versions, progress)
        with hosts_lock(target.cluster, become_password=password):
            _write_version(target, to)
            prepare(target, progress)
            return run(target, "upgrade", "upgrade.yml", options, lock, record=record)


def at_version(workspace: Workspace, version: str) -> Workspace:
    """The workspace as it is with another version in the cluster file.

    Raises:
        KubikkError: Kubikk does not install that version.
    """
    if version not in SUPPORTED:
        raise KubikkError(
            f"Kubernetes {version} is none that this Kubikk installs",
            remedy=f"choose one of {', '.join(SUPPORTED)}",
            code=UPGRADE_NEEDED,
        )
    cluster = workspace.cluster
    kubernetes = cluster.kubernetes.model_copy(update={"version": version})
    return replace(workspace, cluster=cluster.model_copy(update={"kubernetes": kubernetes}))


def require_upgradable(found: ClusterStatus, to: str, wanted: Mapping[str, str], progress: Progress) -> None:
    """Refuses what version skew forbids, and to upgrade a cluster that is not well.

    A component that has the wanted version already may be ill: the upgrade that brought it did not end.

    Args:
        found: how the cluster is.
        to: the wanted version of Kubernetes.
        wanted: component -> the version that goes with it.
        progress: told of hosts that do not answer.

    Raises:
        ProblemsError: with all reasons.
    """
    running = {host.name: {each.name: each.version for each in host.components} for host in found.hosts}
    problems = [*refusals(running, to), *etcd_refusals(running, wanted["etcd"])]
    if problems:
        raise ProblemsError(f"the cluster cannot be upgraded to {to}", problems)
    for host in found.hosts:
        if host.error is not None:
            progress.log(f"warning: {host.name}: {host.error.message}: it keeps its version")
            continue
        problems += [
            Problem(f"{each.name} is not healthy: {each.problem or each.active}", key=host.name)
            for each in host.components
            if not each.healthy and each.version != wanted.get(each.name)
        ]
    if not any(each.version for host in found.hosts for each in host.components):
        problems.append(Problem("no host runs anything yet", remedy="`kubikk up` installs a cluster"))
    if problems:
        raise ProblemsError("the cluster is not well, and is not upgraded before it is; nothing was touched", problems)


def _write_version(workspace: Workspace, version: str) -> None:
    """Writes the version into the cluster file, where it is not there yet."""
    before = workspace.file.read_text()
    after = with_version(before, version)
    if after != before:
        replace_file(workspace.file, after.encode(), workspace.file.stat().st_mode & 0o777)
        load(workspace.file)  # it has to be as valid as it was
