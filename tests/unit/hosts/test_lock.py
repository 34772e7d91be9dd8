"""The lock on hosts, held over a real SSH connection."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubikk.cluster import Cluster
from kubikk.errors import KubikkError, ProblemsError
from kubikk.hosts import lock
from kubikk.hosts.programs import source

from .site import Site


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the lock lies."""
    path = tmp_path / "kubikk.lock"
    monkeypatch.setattr(lock, "PATH", str(path))
    monkeypatch.setattr(lock, "_PATIENCE", 0.0)
    monkeypatch.setattr(lock, "_BEAT", 0.1)
    # A shell ignores SIGINT for what it starts in the background; kubikk does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield path
    signal.signal(signal.SIGINT, before)


def _hold(path: Path, lease: float = 30.0, run: str = "another") -> subprocess.Popen[str]:
    """Another run that holds the lock."""
    holder = {
        "run": run,
        "pid": 7,
        "user": "eve",
        "host": "elsewhere",
        "since": "2026-01-02T03:04:05+00:00",
        "command": "kubikk up",
    }
    given: dict[str, Any] = {"path": str(path), "holder": holder, "lease": lease}
    program = f"INPUT = {given!r}\nexec({source('lock')!r}, {{'INPUT': INPUT, '__name__': '__main__'}})"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert json.loads(process.stdout.readline()) == {"held": True}
    return process


def _program(path: Path) -> int:
    """Process id of the program that holds the lock; 0 where none does."""
    try:
        return int(json.loads(path.read_text())["program"])
    except (FileNotFoundError, ValueError):
        return 0


def _free(cluster: Cluster) -> bool:
    try:
        with lock.hosts_lock(cluster):
            return True
    except KubikkError:
        return False


def test_a_second_run_is_told_who_holds_it_and_since_when(site: Site, path: Path) -> None:
    with _hold(path) as other:
        said = r"`kubikk up` of eve on elsewhere .*since 2026-01-02T03:04:05"
        with pytest.raises(KubikkError, match=said), lock.hosts_lock(site.cluster()):
            pass
        other.kill()
    with lock.hosts_lock(site.cluster()):
        assert json.loads(path.read_text())["command"]
        assert not _free(site.cluster())


def test_it_is_free_at_the_end(site: Site, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PATIENCE", 30.0)
    for _ in range(3):
        assert _free(site.cluster())
    deadline = time.monotonic() + 30
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not path.exists()


def test_a_run_without_a_sign_of_life_loses_it(path: Path) -> None:
    with _hold(path, lease=0.3) as other:
        assert other.wait(timeout=30) == 0
    assert not path.exists()


def test_it_outlives_a_broken_connection(site: Site, path: Path) -> None:
    with lock.hosts_lock(site.cluster()):
        before = _program(path)
        site.server.drop()
        deadline = time.monotonic() + 30
        while _program(path) in (before, 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _program(path) not in (before, 0)
        assert not _free(site.cluster())


def test_a_connection_that_broke_unnoticed_is_in_nobody_s_way(path: Path) -> None:
    with _hold(path, run="same") as before, _hold(path, run="same") as after:
        assert before.wait(timeout=30) == -signal.SIGKILL
        assert json.loads(path.read_text())["program"] == after.pid
        after.kill()


def test_a_run_that_lost_it_to_another_ends(site: Site, path: Path) -> None:
    with pytest.raises(KubikkError, match=r"eve on elsewhere"), lock.hosts_lock(site.cluster()):
        # The connection stays: this is what a host looks like that was restarted meanwhile, and locked by another.
        path.unlink()
        with _hold(path) as other:
            site.server.drop()
            try:
                time.sleep(60)
            finally:
                other.kill()


def test_too_few_hosts_answer(site: Site, path: Path) -> None:
    alive = site.cluster()
    content = alive.model_dump(mode="json", exclude_unset=True)
    gone = {"name": "b", "address": "10.0.0.2", "roles": ["control-plane"], "ssh": {"host": "127.0.0.1", "port": 1}}
    cluster = Cluster.model_validate({**content, "hosts": [*content["hosts"], gone]})
    with pytest.raises(ProblemsError, match="too few") as refused, lock.hosts_lock(cluster):
        pass
    assert [problem.key for problem in refused.value.problems] == ["b"]
    with lock.hosts_lock(cluster, majority=False):
        assert not _free(alive)
