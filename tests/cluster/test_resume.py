"""`kubikk up` is killed at five different moments of a first installation and carries on; `reset` leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubikk.operations.workspace import open_workspace
from tests.cluster.support.api import administrator
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import PROGRAMS, changes, events, kubikk, runs
from tests.cluster.support.traces import Traces, traces

# Long enough for a machine that does other things, too.
_PATIENCE = 240.0


def _certificates_begun(directory: Path) -> bool:
    return (directory / "pki" / "ca.crt").exists()


def _role_begun(role: str) -> Callable[[Path], bool]:
    def begun(directory: Path) -> bool:
        present = runs(directory)
        return bool(present) and any(each.get("role") == role for each in events(present[-1]))

    return begun


_MOMENTS: tuple[tuple[str, Callable[[Path], bool]], ...] = (
    ("while certificates are issued", _certificates_begun),
    ("while etcd is installed", _role_begun("etcd")),
    ("while the API server is installed", _role_begun("kube_apiserver")),
    ("while containerd is installed", _role_begun("containerd")),
    ("while kubelet is installed", _role_begun("kubelet")),
)


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """Bare hosts."""
    with own_lab(f"{lab_name}-resume", tmp_path_factory.mktemp("resume"), control_planes=1, workers=1) as own:
        yield own


@pytest.fixture(scope="module")
def bare(own: OwnLab) -> dict[str, Traces]:
    """What the hosts consisted of before anything was installed."""
    return {host.name: traces(own, host.name) for host in own.lab.hosts()}


def _kill_when(own: OwnLab, what: str, moment: Callable[[Path], bool], log: Path) -> None:
    """Starts `kubikk up` and ends it with SIGKILL when the moment has come."""
    before = len(runs(own.directory))
    command = [str(PROGRAMS / "kubikk"), "up", "-f", str(own.file)]
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1"},
        ) as process,
    ):
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            # Events of an earlier run are no sign of this one.
            if (len(runs(own.directory)) > before or moment is _certificates_begun) and moment(own.directory):
                break
            time.sleep(0.05)
        assert process.poll() is None, f"it ended before it could be killed {what}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"the moment never came: {what}:\n{log.read_text()}"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.timeout(1500)
def test_up_converges_after_each_kill(own: OwnLab, bare: dict[str, Traces], tmp_path: Path) -> None:
    for number, (what, moment) in enumerate(_MOMENTS):
        _kill_when(own, what, moment, tmp_path / f"killed-{number}.log")
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    workspace = open_workspace(own.file)
    server = f"https://{workspace.cluster.control_plane_hosts[0].address}:{workspace.cluster.api.port}"
    nodes = administrator(server, workspace.pki).items("/api/v1/nodes")
    ready = [each for node in nodes for each in node["status"]["conditions"] if each["type"] == "Ready"]
    assert [each["status"] for each in ready] == ["True", "True"]
    # It was complete: nothing was left for another run.
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []
    # Nothing half-written anywhere: every temporary file became the file it was meant to be, or was taken away.
    for host in ("cp1", "w1"):
        places = "/etc/kubernetes /etc/etcd /opt/kubikk /etc/systemd/system"
        left = f"find {places} -name '*.kubikk-new' -o -name '.kubikk-*'; true"
        assert own.run(host, left) == ""


@pytest.mark.timeout(600)
def test_reset_leaves_no_trace(own: OwnLab, bare: dict[str, Traces], subtests: pytest.Subtests) -> None:
    own.run("w1", "echo keep > /etc/cni/net.d/99-mine.conf; iptables -N MINE; touch /opt/mine")
    unsure = kubikk("reset", "-f", str(own.file))
    assert unsure.returncode != 0, unsure.stdout  # it asks, and nobody answers
    result = kubikk("reset", "--yes", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    mine = {
        "files": {"/etc/cni", "/etc/cni/net.d", "/etc/cni/net.d/99-mine.conf", "/opt/mine"},
        "chains": {":MINE - [0:0]"},
    }
    for host, before in bare.items():
        after = traces(own, host)
        for kind, things in before.items():
            with subtests.test(f"{kind} of {host}"):
                own_things = mine.get(kind, set()) if host == "w1" else set()
                assert after[kind] - things == own_things
                assert things - after[kind] == set()
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
