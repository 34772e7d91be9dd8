"""What is to be removed, and what is refused before any host is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.errors import KubikkError
from kubikk.operations.removal import plan_removal, unfinished, unfinished_hosts
from kubikk.operations.workspace import Workspace, open_workspace

THREE = """\
name: demo
hosts:
  - {name: cp1, address: 192.168.56.11, roles: [control-plane]}
  - {name: cp2, address: 192.168.56.12, roles: [control-plane]}
  - {name: cp3, address: 192.168.56.13, roles: [control-plane]}
  - {name: w1, address: 192.168.56.21, roles: [worker]}
"""
DEDICATED = THREE + "  - {name: etcd1, address: 192.168.56.41, roles: [etcd]}\n"


def workspace(directory: Path, text: str) -> Workspace:
    file = directory / "cluster.yml"
    file.write_text(text)
    return open_workspace(file)


@pytest.mark.parametrize(
    ("text", "names", "message", "cause"),
    [
        (THREE, ["w9"], "no host w9 in the cluster file", None),
        (THREE, ["cp3"], "without cp3 the cluster file would not be right", "2 hosts run etcd (cp1, cp2)"),
        (THREE, ["cp1", "cp2", "cp3"], "without cp1, cp2, cp3 the cluster file would not be right", "control-plane"),
        (DEDICATED, ["etcd1"], "without etcd1 etcd would have to move to other hosts", None),
    ],
)
def test_refused(text: str, names: list[str], message: str, cause: str | None, tmp_path: Path) -> None:
    with pytest.raises(KubikkError) as caught:
        plan_removal(workspace(tmp_path, text), names, dead=False)
    assert caught.value.message == message
    assert cause is None or cause in (caught.value.cause or "")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["cluster.yml"]
    assert (tmp_path / "cluster.yml").read_text() == text


@pytest.mark.parametrize(
    ("text", "names"),
    [(THREE, ["w1"]), (THREE, ["cp2", "cp3"]), (THREE + "etcd: {allow_even: true}\n", ["cp3"]), (DEDICATED, ["cp1"])],
)
def test_planned(text: str, names: list[str], tmp_path: Path) -> None:
    found = plan_removal(workspace(tmp_path, text), names, dead=False)
    assert found.names == tuple(names)
    before = {host.name for host in found.before.cluster.hosts}
    assert {host.name for host in found.after.cluster.hosts} == before - set(names)
    assert (tmp_path / "cluster.yml").read_text() == text


def test_an_interrupted_removal_goes_on(tmp_path: Path) -> None:
    begun = workspace(tmp_path, THREE)
    assert unfinished_hosts(begun) == ()
    unfinished(begun.file).write_text(THREE)
    begun = workspace(tmp_path, THREE.replace("  - {name: w1, address: 192.168.56.21, roles: [worker]}\n", ""))
    assert unfinished_hosts(begun) == ("w1",)
    found = plan_removal(begun, ["w1"], dead=True)
    assert [host.name for host in found.before.cluster.hosts] == ["cp1", "cp2", "cp3", "w1"]
    with pytest.raises(KubikkError, match="the removal of w1 is not finished"):
        plan_removal(begun, ["cp3"], dead=False)
