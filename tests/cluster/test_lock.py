"""Two runs at once on one cluster: the second is refused, from the same control node and from another one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubikk.hosts.lock import LEASE
from kubikk.processes import descendants
from tests.cluster.support.access import Access
from tests.cluster.support.binaries import take_binaries
from tests.cluster.support.description import Description
from tests.cluster.support.runs import PROGRAMS, events, kubikk, latest
from tests.cluster.support.waiting import until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def elsewhere(cluster: Description, tmp_path: Path) -> Path:
    """The cluster file of another control node: a copy of everything, with a lock file of its own."""
    directory = tmp_path / "inventory" / cluster.name
    shutil.copytree(cluster.directory, directory, ignore=shutil.ignore_patterns("runs", ".lock"))
    return directory / "cluster.yml"


@contextmanager
def _under_way(cluster: Description, access: Access) -> Iterator[subprocess.Popen[str]]:
    """`up`, once it works on hosts, with enough to do to be met there; ended at the end, with all its children."""
    take_binaries(access.output, cluster.workers[0].name, "containerd", "kubelet", missing_ok=True)
    before = latest(cluster.directory)
    command = [str(PROGRAMS / "kubikk"), "up", "-f", str(cluster.cluster_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            until(
                lambda: (run := latest(cluster.directory)) is not None and run != before and events(run),
                "it works on hosts",
                within=120,
                every=0.1,
            )
            yield process
        finally:
            if process.poll() is None:
                for each in [*descendants(process.pid), process.pid]:
                    os.kill(each, signal.SIGKILL)


def test_a_second_run_is_refused(cluster: Description, elsewhere: Path, access: Access) -> None:
    with _under_way(cluster, access) as first:
        for place, file in (("the same control node", cluster.cluster_file), ("another control node", elsewhere)):
            refused = kubikk("up", "-f", str(file), "--skip-preflight", timeout=60)
            assert refused.returncode == 1, f"{place}: {refused.stdout}"
            said = " ".join(refused.stdout.split())
            assert f"(process {first.pid}), since 20" in said, place
            assert "wait for it to end" in said, place
        # Looking is allowed.
        assert kubikk("status", "-f", str(elsewhere), timeout=60).returncode == 0
        output, _ = first.communicate(timeout=240)
        assert first.returncode == 0, output
    for host in cluster.control_planes:
        until(lambda host=host: not access.succeeds(host.name, "test -e /run/kubikk.lock"), "it is freed", within=10)  # type: ignore[misc]


def test_a_run_that_was_killed_is_in_nobody_s_way(cluster: Description, elsewhere: Path, access: Access) -> None:
    with _under_way(cluster, access) as first:
        workers = descendants(first.pid)
        first.kill()
        first.wait()
        until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers), "they ended with it", within=10)
        begun = time.monotonic()
        second = kubikk("up", "-f", str(elsewhere), timeout=300)
        assert second.returncode == 0, second.stdout
        print(f"the other control node's run took {time.monotonic() - begun:.0f} s")


@pytest.mark.full
def test_a_control_node_that_lost_its_power(cluster: Description, elsewhere: Path, access: Access) -> None:
    with _under_way(cluster, access) as first:
        # Its connections stay, and nothing is heard of it any more.
        for each in [first.pid, *descendants(first.pid)]:
            os.kill(each, signal.SIGSTOP)
        stopped = time.monotonic()
        refused = kubikk("up", "-f", str(elsewhere), "--skip-preflight", timeout=60)
        assert refused.returncode == 1, refused.stdout
        assert f"{LEASE:.0f} s after its last sign of life" in refused.stdout
        time.sleep(max(0.0, stopped + LEASE + 5 - time.monotonic()))
        second = kubikk("up", "-f", str(elsewhere), timeout=300)
        assert second.returncode == 0, second.stdout
