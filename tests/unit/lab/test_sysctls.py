"""Kernel settings of the machine, raised and given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.lab.sysctls import raise_limits, restore_limits

_FORWARD, _INSTANCES, _WATCHES = (
    "net/ipv4/ip_forward",
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for setting, value in {_FORWARD: 0, _INSTANCES: 128, _WATCHES: 2000000}.items():
        (tmp_path / "proc" / setting).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc" / setting).write_text(f"{value}\n")
    return tmp_path / "proc"


def _values(proc: Path) -> list[int]:
    return [int((proc / setting).read_text()) for setting in (_FORWARD, _INSTANCES, _WATCHES)]


def test_raised_twice_and_restored(proc: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    for _ in range(2):
        raise_limits(record, proc=proc)
    assert _values(proc) == [1, 8192, 2000000]
    restore_limits(record, proc=proc)
    assert _values(proc) == [0, 128, 2000000]
    assert not record.exists()


def test_what_somebody_else_changed_since_is_left(proc: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    raise_limits(record, proc=proc)
    (proc / _INSTANCES).write_text("9000\n")
    restore_limits(record, proc=proc)
    assert _values(proc) == [0, 9000, 2000000]


def test_nothing_raised_nothing_recorded(proc: Path, tmp_path: Path) -> None:
    (proc / _FORWARD).write_text("1\n")
    (proc / _INSTANCES).write_text("8192\n")
    raise_limits(tmp_path / "record.json", proc=proc)
    assert not (tmp_path / "record.json").exists()
    restore_limits(tmp_path / "record.json", proc=proc)
