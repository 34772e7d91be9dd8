"""Runs as they are kept, and how each is told to have ended."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from kubikk.ansible.journal import KEEP, new_run, past_runs, write_summary
from kubikk.ansible.redaction import Redactor

REDACT = Redactor(["top-secret"])


def begin(directory: Path, verb: str = "up") -> Path:
    file = directory / "cluster.yml"
    file.write_text("name: c\nartifacts: {mirror: 'https://a:top-secret@example.org'}\n")
    return new_run(directory, verb, file, REDACT, {"cluster": "c", "command": "kubikk up top-secret"})


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        ({"exit": 0}, "done"),
        ({"exit": 2}, "failed"),
        ({"error": {"code": None, "message": "m"}}, "failed"),
        ({"interrupted": True}, "interrupted"),
        (None, "interrupted"),
    ],
)
def test_state(summary: dict[str, Any] | None, state: str, tmp_path: Path) -> None:
    run = begin(tmp_path)
    if summary is not None:
        write_summary(run, {"seconds": 1.5, **summary}, REDACT)
    (found,) = past_runs(tmp_path)
    assert (found.state, found.verb, found.name) == (state, "up", run.name)


def test_last_run_is_under_way_while_the_lock_is_held(tmp_path: Path) -> None:
    for _ in range(2):
        begin(tmp_path)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert [run.state for run in past_runs(tmp_path)] == ["interrupted", "running"]
    assert [run.state for run in past_runs(tmp_path)] == ["interrupted", "interrupted"]


def test_old_runs_go_when_one_ends(tmp_path: Path) -> None:
    for _ in range(KEEP + 2):
        run = begin(tmp_path)
    assert len(past_runs(tmp_path)) == KEEP + 2
    write_summary(run, {"exit": 0}, REDACT)
    kept = past_runs(tmp_path)
    assert len(kept) == KEEP
    assert kept[-1].directory == run


def test_no_secret_and_nobody_else(tmp_path: Path) -> None:
    run = begin(tmp_path)
    write_summary(run, {"error": {"message": "https://a:other@example.org and top-secret"}}, REDACT)
    assert run.stat().st_mode & 0o777 == 0o700
    for path in run.iterdir():
        assert "top-secret" not in path.read_text()
        assert "a:other@" not in path.read_text()


def test_errors_of_hosts_and_of_the_run(tmp_path: Path) -> None:
    run = begin(tmp_path)
    hosts = {"cp1": {"error": None}, "w1": {"error": {"code": "KBK-101", "message": "m"}}}
    write_summary(run, {"exit": 2, "hosts": hosts}, REDACT)
    (found,) = past_runs(tmp_path)
    assert [error["code"] for error in found.errors] == ["KBK-101"]


def test_nothing_yet(tmp_path: Path) -> None:
    assert past_runs(tmp_path) == []
