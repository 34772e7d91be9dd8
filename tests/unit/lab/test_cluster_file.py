"""The lab's cluster file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kubikk.errors import KubikkError
from kubikk.lab.cluster_file import write_cluster_file
from kubikk.lab.state import HostState

_CP1 = HostState("cp1", "control-plane", "10.199.0.11", "0" * 32, "/base")
_W1 = HostState("w1", "worker", "10.199.0.51", "1" * 32, "/base")
_KEY, _KNOWN = Path("/state/id_ed25519"), Path("/state/known_hosts")


def _write(directory: Path, *hosts: HostState) -> Path:
    return write_cluster_file(directory, "lab", hosts, _KEY, _KNOWN)


def test_new_file(tmp_path: Path) -> None:
    content = yaml.safe_load(_write(tmp_path / "inventory/lab", _CP1, _W1).read_text())
    assert content["name"] == "lab"
    assert content["ssh"] == {"user": "root", "key": str(_KEY), "known_hosts": str(_KNOWN)}
    assert content["hosts"] == [
        {"name": "cp1", "address": "10.199.0.11", "roles": ["control-plane"]},
        {"name": "w1", "address": "10.199.0.51", "roles": ["worker"]},
    ]
    assert content["artifacts"] == {"source": "auto"}
    plugins = content["components"]["containerd"]["config"]["plugins"]
    assert plugins["io.containerd.cri.v1.runtime"] == {"restrict_oom_score_adj": True}


def test_second_run_keeps_every_byte_and_comments(tmp_path: Path) -> None:
    path = _write(tmp_path, _CP1, _W1)
    path.write_text(path.read_text() + "# mine\n")
    before = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    _write(tmp_path, _CP1, _W1)
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_an_operators_settings_stay_when_a_host_is_added(tmp_path: Path) -> None:
    path = _write(tmp_path, _CP1)
    content = yaml.safe_load(path.read_text())
    content["kubernetes"] = {"version": "v1.36.3"}
    content["hosts"][0]["labels"] = {"disk": "fast"}
    del content["components"]["kubelet"]
    path.write_text(yaml.safe_dump(content))
    changed = yaml.safe_load(_write(tmp_path, _CP1, _W1).read_text())
    assert changed["kubernetes"] == {"version": "v1.36.3"}
    assert changed["hosts"][0]["labels"] == {"disk": "fast"}
    assert changed["hosts"][1]["name"] == "w1"
    assert "kubelet" not in changed["components"]


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", ""])
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "cluster.yml").write_text(text)
    with pytest.raises(KubikkError):
        _write(tmp_path, _CP1)
