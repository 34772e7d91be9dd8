"""What a lab host cannot give is taken out of containers, and nothing else."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from kubikk.lab.oci_runtime import file_to_read, may_raise_limits, restrict

PROCESS: dict[str, Any] = {
    "oomScoreAdj": -998,
    "capabilities": {"bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]},
}
CONFIG: dict[str, Any] = {
    "process": PROCESS,
    "linux": {"resources": {"hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "memory": {"limit": 1}}},
}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("--root /run/runc create --bundle /b --pid-file /p c1", ("create", Path("/b/config.json"))),
        ("run -b /b c1", ("run", Path("/b/config.json"))),
        ("create --bundle=/b c1", ("create", Path("/b/config.json"))),
        ("create c1", ("create", Path("config.json"))),
        ("exec --process /p.json c1", ("exec", Path("/p.json"))),
        ("exec c1 true", ("exec", None)),
        ("kill c1 9", ("", None)),
    ],
)
def test_what_runc_reads(arguments: str, expected: tuple[str, Path | None]) -> None:
    assert file_to_read(arguments.split()) == expected


@pytest.mark.parametrize(("mask", "expected"), [("000001fffeffffff", False), ("000001ffffffffff", True)])
def test_may_raise_limits(mask: str, *, expected: bool) -> None:
    assert may_raise_limits(f"CapEff:\t0000000000000000\nCapBnd:\t{mask}\n") is expected


def test_without_capability_and_controller() -> None:
    content = copy.deepcopy(CONFIG)
    restrict("create", content, capability=False, hugetlb=False)
    assert content == {
        "process": {"oomScoreAdj": 0, "capabilities": {"bounding": ["CAP_KILL"], "effective": []}},
        "linux": {"resources": {"memory": {"limit": 1}}},
    }


def test_a_single_process() -> None:
    content = {**copy.deepcopy(PROCESS), "oomScoreAdj": 500}
    restrict("exec", content, capability=False, hugetlb=False)
    assert content == {"oomScoreAdj": 500, "capabilities": {"bounding": ["CAP_KILL"], "effective": []}}


def test_with_both() -> None:
    content = copy.deepcopy(CONFIG)
    restrict("create", content, capability=True, hugetlb=True)
    assert content == CONFIG
