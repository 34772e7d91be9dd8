"""The cases: what is measured, on how many hosts, and with whom."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.finish import FinishLine
from bench.installers.base import Installer, kubectl
from bench.installers.kubikk import KUBIKK, Kubikk, add_journal
from bench.meter import Cost, measure
from bench.site import Site
from kubikk.cluster import versions
from kubikk.errors import KubikkError

_NOTHING_PENDING, _CHANGES_PENDING = 0, 2  # exit codes of `kubikk plan`
_OLDER = "v1.36.3"
# kubeadm's script joins one control-plane host after the other, as kubeadm asks for: more workers tell nothing new.
_FOR_SCALE = ("floor", "kubikk")


class NotToBeHadError(KubikkError):
    """The installer cannot do what a case asks for."""


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        name: on the command line and in results.
        title: for people.
        control_planes: number of control-plane hosts.
        workers: number of workers.
        run: does and measures it.
        installers: which it is measured with, of those that take part.
    """

    name: str
    title: str
    control_planes: int
    workers: int
    run: Callable[[Case, Installer, Site], Cost]
    installers: tuple[str, ...] | None = ("kubikk",)


def first_up(case: Case, installer: Installer, site: Site) -> Cost:
    """From bare hosts to the finish line."""
    installer.prepare(site, case.control_planes, case.workers)
    site.fresh(case.control_planes, case.workers)
    program = installer.program(site)
    line = FinishLine(kubectl(), program.kubeconfig, len(site.hosts), dns=program.dns)
    cost = measure(
        site,
        program.command,
        finish=line.wait,
        environment=program.environment,
        log=_log(case, installer, site),
    )
    installer.complete(site, cost)
    return cost


def nothing_to_do(case: Case, installer: Installer, site: Site) -> Cost:
    """``up`` again."""
    _converge(case, site, {})
    return _kubikk(case, installer, site, "up")


def plan(case: Case, installer: Installer, site: Site) -> Cost:
    """``plan`` where there is nothing to do."""
    _converge(case, site, {})
    return _kubikk(case, installer, site, "plan")


def flag_changed(case: Case, installer: Installer, site: Site) -> Cost:
    """One flag of kube-controller-manager is another one."""
    flag = {"components": {"kube-controller-manager": {"flags": {"concurrent-gc-syncs": 20}}}}
    _converge(case, site, flag)
    flag["components"]["kube-controller-manager"]["flags"]["concurrent-gc-syncs"] = 21
    site.edit(flag)
    return _kubikk(case, installer, site, "up")


def worker_added(case: Case, installer: Installer, site: Site, *, limited: bool = False) -> Cost:
    """A bare host more in the cluster file; ``limited``: the operator says that nothing else is to be looked at."""
    _converge(case, site, {})
    name = site.add_worker()
    try:
        return _kubikk(case, installer, site, "up", *(("--limit", name) if limited else ()))
    finally:
        _take_away(site, name)


def worker_removed(case: Case, installer: Installer, site: Site) -> Cost:
    """``node remove``."""
    if subprocess.run([KUBIKK, "node", "remove", "--help"], capture_output=True, check=False).returncode:
        raise NotToBeHadError("this Kubikk has no `node remove`")
    _converge(case, site, {})
    name = site.add_worker()
    _up(site)
    try:
        return _kubikk(case, installer, site, "node", "remove", name, "--yes", lost=1)
    finally:
        _take_away(site, name)


def upgrade(case: Case, installer: Installer, site: Site) -> Cost:
    """From the older version of Kubernetes to the newer one."""
    if subprocess.run([KUBIKK, "upgrade", "--help"], capture_output=True, check=False).returncode:
        raise NotToBeHadError("this Kubikk has no `upgrade`")
    site.fresh(case.control_planes, case.workers)
    site.edit({"kubernetes": {"version": _OLDER}})
    _up(site)
    return _kubikk(case, installer, site, "upgrade", "--to", versions.DEFAULT)


def _converge(case: Case, site: Site, settings: Mapping[str, object]) -> None:
    """Sees to it that there is a converged cluster of the case's size; what that takes is not measured."""
    count = [host.role for host in site.hosts]
    wanted = ["control-plane"] * case.control_planes + ["worker"] * case.workers
    if count != wanted or not all(host.running for host in site.hosts) or not _is_kubikks(site):
        site.fresh(case.control_planes, case.workers)
    site.edit(settings)
    _up(site)


def _is_kubikks(site: Site) -> bool:
    """Whether the cluster on the hosts, if any, is the one whose certificates lie here."""
    kubeconfig = site.directory / "kubeconfig"
    return kubeconfig.exists() and FinishLine(kubectl(), kubeconfig, 1).lacking() is None


def _up(site: Site) -> None:
    done = subprocess.run(
        [KUBIKK, "up", "-f", str(site.file)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise KubikkError("`kubikk up`, which was not to be measured, failed", cause=done.stdout + done.stderr)


def _kubikk(case: Case, installer: Installer, site: Site, *arguments: str, lost: int = 0) -> Cost:
    if not isinstance(installer, Kubikk):
        raise NotToBeHadError(f"{case.name} is a case for Kubikk alone")
    line = FinishLine(kubectl(), site.directory / "kubeconfig", len(site.hosts) - lost)
    cost = measure(
        site,
        [KUBIKK, *arguments, "-f", str(site.file)],
        finish=line.wait,
        environment={"NO_COLOR": "1", **installer.environment},
        log=_log(case, installer, site),
        accept=(_NOTHING_PENDING, _CHANGES_PENDING) if arguments[0] == "plan" else (0,),
    )
    add_journal(site, cost)
    return cost


def _take_away(site: Site, name: str) -> None:
    """Removes a worker as if it had never been: the node, the host, its line in the cluster file."""
    delete = ["delete", "node", name, "--ignore-not-found", "--wait=false"]
    kubeconfig = str(site.directory / "kubeconfig")
    subprocess.run([str(kubectl()), "--kubeconfig", kubeconfig, *delete], capture_output=True, check=False)
    site.remove_host(name)


def _log(case: Case, installer: Installer, site: Site) -> Path:
    directory = site.root / "logs"
    directory.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=directory, prefix=f"{case.name}-{installer.name}-")) / "output.log"


CASES = {
    case.name: case
    for case in (
        Case("first-up-1+2", "first up, 1 control-plane host and 2 workers", 1, 2, first_up, None),
        Case("first-up-3+0", "first up, 3 control-plane hosts", 3, 0, first_up, None),
        Case("first-up-3+2", "first up, 3 control-plane hosts and 2 workers", 3, 2, first_up, None),
        Case("first-up-3+7", "first up, 3 control-plane hosts and 7 workers", 3, 7, first_up, _FOR_SCALE),
        Case("first-up-3+17", "first up, 3 control-plane hosts and 17 workers", 3, 17, first_up, _FOR_SCALE),
        Case("nothing-1+2", "nothing to do, 1+2 hosts", 1, 2, nothing_to_do),
        Case("plan-1+2", "plan, 1+2 hosts", 1, 2, plan),
        Case("flag-1+2", "one flag changed, 1+2 hosts", 1, 2, flag_changed),
        Case("nothing-3+2", "nothing to do, 3+2 hosts", 3, 2, nothing_to_do),
        Case("plan-3+2", "plan, 3+2 hosts", 3, 2, plan),
        Case("flag-3+2", "one flag changed, 3+2 hosts", 3, 2, flag_changed),
        Case("worker-added-3+2", "one worker added to 3+2 hosts", 3, 2, worker_added),
        Case(
            "worker-added-alone-3+2",
            "one worker added to 3+2 hosts with --limit",
            3,
            2,
            partial(worker_added, limited=True),
        ),
        Case("worker-removed-3+2", "one worker removed from 3+3 hosts", 3, 2, worker_removed),
        Case("upgrade-3+2", "version upgrade, 3+2 hosts", 3, 2, upgrade),
    )
}
