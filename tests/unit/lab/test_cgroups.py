"""Which hierarchies there are, and whether hosts can have groups of their own in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.lab.cgroups import Hierarchy, hierarchies, is_v1, problems

_CONTROLLERS = ("cpuset", "cpu,cpuacct", "memory", "devices", "freezer", "pids")


def _v1_mounts(controllers: tuple[str, ...] = _CONTROLLERS, root: str = "/") -> str:
    lines = [
        f"30 25 0:27 {root} /sys/fs/cgroup/{names} rw,relatime - cgroup cgroup rw,{names}" for names in controllers
    ]
    lines.append(f"31 25 0:28 {root} /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd")
    lines.append(f"32 25 0:29 {root} /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw")
    return "\n".join(lines)


_V1_OWN = "7:cpuset:/\n6:cpu,cpuacct:/\n5:memory:/a/b\n4:devices:/\n3:freezer:/\n2:pids:/\n1:name=systemd:/\n0::/\n"
_V2_MOUNTS = "30 25 0:27 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate"
_V2_OWN = "0::/user.slice/user-0.slice/session-1.scope\n"


def test_v1_has_every_hierarchy_also_those_without_a_controller() -> None:
    found = {hierarchy.controllers: hierarchy.present for hierarchy in hierarchies(_v1_mounts(), _V1_OWN)}
    assert found[("name=systemd",)] == Path("/sys/fs/cgroup/systemd")
    assert found[()] == Path("/sys/fs/cgroup/unified")
    assert found[("memory",)] == Path("/sys/fs/cgroup/memory/a/b")
    assert found[("cpu", "cpuacct")] == Path("/sys/fs/cgroup/cpu,cpuacct")
    assert len(found) == 8


def test_v2() -> None:
    (found,) = hierarchies(_V2_MOUNTS, _V2_OWN)
    present = Path("/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope")
    assert found == Hierarchy((), Path("/sys/fs/cgroup"), present)
    assert not is_v1([found])


def test_a_container_sees_its_own_part_of_a_hierarchy() -> None:
    mounts = "31 25 0:28 /docker/1 /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids"
    (found,) = hierarchies(mounts, "2:pids:/docker/1/x\n")
    assert found.present == Path("/sys/fs/cgroup/pids/x")
    assert hierarchies(mounts, "2:pids:/elsewhere\n") == []


@pytest.mark.parametrize(
    ("mounts", "own", "systemd", "expected"),
    [
        (_v1_mounts(), _V1_OWN, False, []),
        (_V2_MOUNTS, _V2_OWN, True, []),
        (_V2_MOUNTS, _V2_OWN, False, ["its init is not systemd"]),
        ("", _V1_OWN, False, ["no cgroup hierarchy is mounted"]),
        (
            _v1_mounts(("cpuset", "cpu,cpuacct", "devices", "pids")),
            _V1_OWN,
            False,
            ["of freezer is not mounted", "of memory is not mounted"],
        ),
    ],
)
def test_problems(mounts: str, own: str, systemd: bool, expected: list[str]) -> None:
    found = problems(mounts, own, systemd=systemd)
    assert len(found) == len(expected)
    assert all(part in problem for part, problem in zip(expected, found, strict=True))
