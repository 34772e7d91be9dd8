"""Which versions of Kubernetes may follow on which: https://kubernetes.io/releases/version-skew-policy/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubikk.error_codes import UPGRADE_NEEDED
from kubikk.errors import Problem

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
"""What has Kubernetes' own version, in the order in which it is upgraded."""

# How many minor versions a component may be behind the API server that it talks to.
_BEHIND = {"kubelet": 3, "kube-proxy": 3}

Running = Mapping[str, Mapping[str, str]]
"""Host -> component -> version, without a v; "" where it is not known."""


def number(version: str) -> tuple[int, ...]:
    """A version to compare by: ``v1.37.2`` is (1, 37, 2)."""
    return tuple(int(part) for part in version.removeprefix("v").split("."))


def refusals(running: Running, target: str) -> list[Problem]:
    """Why hosts cannot be brought to a version in one step; empty where they can.

    Args:
        running: what hosts run.
        target: for example ``v1.37.2``.
    """
    return list(_refusals(running, target))


def _refusals(running: Running, target: str) -> Iterator[Problem]:
    wanted = number(target)
    for host, versions in running.items():
        for component in COMPONENTS:
            version = versions.get(component, "")
            if not version:
                continue
            found = number(version)
            behind = wanted[1] - found[1]
            if found > wanted:
                yield _problem(host, component, version, f"there is no way back to {target}", "")
            elif wanted[0] != found[0] or behind > _BEHIND.get(component, 1):
                first = f"upgrade to {found[0]}.{found[1] + 1} first, with a Kubikk that installs it"
                skipped = f"{target} would skip {'a minor version' if behind == 2 else 'minor versions'}"
                yield _problem(host, component, version, skipped, first)


def etcd_refusals(running: Running, target: str) -> list[Problem]:
    """The same for etcd, whose data an older minor version does not read.

    https://etcd.io/docs/latest/upgrades/
    """
    return [
        _problem(host, "etcd", version, f"there is no way back to {target}", "restore a snapshot to go back")
        for host, versions in running.items()
        if (version := versions.get("etcd", "")) and number(version)[:2] > number(target)[:2]
    ]


def _problem(host: str, component: str, version: str, why: str, remedy: str) -> Problem:
    return Problem(f"{component} {version} runs there, and {why}", key=host, remedy=remedy, code=UPGRADE_NEEDED)
