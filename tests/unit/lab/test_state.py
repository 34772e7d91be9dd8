"""The lab's record."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.errors import KubikkError
from kubikk.lab.state import (
    HostState,
    LabState,
    host_names,
    lab_directories,
    load,
    save,
    sort_key,
    write_atomically,
)

_STATE = LabState("lab", "10.199.0.0/24", [HostState("cp1", "control-plane", "10.199.0.11", "0" * 32, "/base")])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(tmp_path, _STATE)
    assert load(tmp_path) == _STATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["lab.json"]


def test_what_another_kubikk_notes_besides_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, _STATE)
    path = tmp_path / "lab.json"
    path.write_text(path.read_text().replace('"name": "cp1"', '"name": "cp1", "color": "green"'))
    assert load(tmp_path) == _STATE


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1, "name": "x"}'])
def test_a_broken_record_is_an_error_with_a_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "lab.json").write_text(content)
    with pytest.raises(KubikkError) as caught:
        load(tmp_path)
    assert "lab down" in (caught.value.remedy or "")


def test_host_names() -> None:
    assert [name for name, _ in host_names(2, 1)] == ["cp1", "cp2", "w1"]
    assert [role for _, role in host_names(1, 1)] == ["control-plane", "worker"]


@pytest.mark.parametrize(("control_planes", "workers"), [(0, 1), (-1, 0), (31, 0), (1, -1), (1, 151)])
def test_impossible_sizes(control_planes: int, workers: int) -> None:
    with pytest.raises(KubikkError):
        host_names(control_planes, workers)


def test_hosts_are_ordered_by_number() -> None:
    assert sorted(["w1", "cp10", "cp2", "w10", "w9"], key=sort_key) == ["cp2", "cp10", "w1", "w9", "w10"]


def test_modes_of_written_files(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_atomically(path, b"secret", 0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"secret"


def test_lab_directories(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / ".machine.lock").touch()
    assert [entry.name for entry in lab_directories(tmp_path)] == ["a", "b"]
    assert lab_directories(tmp_path / "none") == []
