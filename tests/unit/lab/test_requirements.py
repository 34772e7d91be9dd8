"""Reasons a machine cannot host a lab."""

from __future__ import annotations

import pytest

from kubikk.errors import Problem
from kubikk.lab.requirements import (
    capability_problems,
    disk_problems,
    memory_problems,
    user_namespace_problems,
)
from kubikk.lab.state import Role

_ALL = "CapEff:\t000001fffeffffff\n"
_MEMINFO = "MemTotal:       4096000 kB\nMemAvailable:   2048000 kB\n"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (_ALL, []),
        ("CapEff:\t00000000a80425fb\n", ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]),
        ("", ["CAP_NET_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_ADMIN", "CAP_MKNOD"]),
    ],
)
def test_capabilities(status: str, expected: list[str]) -> None:
    assert [problem.message.split()[-1] for problem in capability_problems(status)] == expected


@pytest.mark.parametrize(
    ("uid_map", "good"),
    [("         0          0 4294967295\n", True), ("0 1000 1\n", False), ("0 100000 65536\n", False)],
)
def test_user_namespace(uid_map: str, good: bool) -> None:
    assert (user_namespace_problems(uid_map) == []) is good


_HA: list[Role] = ["control-plane", "control-plane", "control-plane", "worker", "worker"]


@pytest.mark.parametrize(("roles", "good"), [([], True), (["control-plane", "worker"], True), (_HA, False)])
def test_memory(roles: list[Role], good: bool) -> None:
    problems = memory_problems(_MEMINFO, roles)
    assert (problems == []) is good
    if not good:
        assert "2000 MiB of memory are free, 5 hosts need about" in problems[0].message


def test_disk_counts_the_base_tree() -> None:
    roles: list[Role] = ["worker"]
    assert disk_problems("/var", 1500, roles, base=False) == []
    assert disk_problems("/var", 1500, roles, base=True) == [
        Problem("1500 MiB of disk space in /var are free, 1 hosts need about 1900 MiB", remedy="start fewer")
    ]
