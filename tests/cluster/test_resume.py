"""`kubikk up` is killed at five different moments of a first installation, and carries on each time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.operations.workspace import open_workspace
from tests.cluster.support.api import Api, tls
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import PROGRAMS, changes, events, kubikk, runs

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
def test_up_converges_after_each_kill(lab_name: str, tmp_path: Path) -> None:
    with own_lab(f"{lab_name}-resume", tmp_path, control_planes=1, workers=1) as own:
        for number, (what, moment) in enumerate(_MOMENTS):
            _kill_when(own, what, moment, tmp_path / f"killed-{number}.log")
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        workspace = open_workspace(own.file)
        server = f"https://{workspace.cluster.control_plane_hosts[0].address}:{workspace.cluster.api.port}"
        nodes = Api(server, tls(workspace.pki / "ca.crt", workspace.pki / "admin")).items("/api/v1/nodes")
        ready = [each for node in nodes for each in node["status"]["conditions"] if each["type"] == "Ready"]
        assert [each["status"] for each in ready] == ["True", "True"]
        # It was complete: nothing was left for another run.
        again = kubikk("up", "-f", str(own.file))
        assert again.returncode == 0, again.stdout
        assert changes(runs(own.directory)[-1]) == []
        # Nothing half-written anywhere: every temporary file became the file it was meant to be, or was taken away.
        for host in ("cp1", "w1"):
            places = "/etc/kubernetes /etc/etcd /opt/kubikk /etc/systemd/system"
            left = f"find {places} -name '*.kubikk-new' -o -name '.kubikk-*'"
            assert own.run(host, left) == ""
