"""Binaries on a host: verified when they arrive, and noticed when they are replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import artifacts


def artifact(data: bytes = b"program") -> dict[str, Any]:
    files = {"tool": {"sha256": hashlib.sha256(data).hexdigest()}}
    return {"component": "thing", "version": "1.0", "files": files, "link": ""}


def ship(staging: Path, data: bytes, name: str | None = None) -> None:
    staging.mkdir(exist_ok=True)
    (staging / (name or hashlib.sha256(data).hexdigest())).write_bytes(data)


def test_missing_then_installed(tmp_path: Path) -> None:
    root, staging = str(tmp_path / "opt"), tmp_path / "staging"
    assert [entry["name"] for entry in artifacts.missing([artifact()], root)] == ["tool"]
    ship(staging, b"program")
    assert artifacts.install(artifact(), str(staging), root) == ["tool"]
    assert artifacts.missing([artifact()], root) == []
    target = tmp_path / "opt/thing/1.0/tool"
    assert target.stat().st_mode & 0o7777 == 0o755
    artifacts.leave_staging(str(staging))
    assert not staging.exists()


def test_what_is_shipped_in_vain_does_not_stay(tmp_path: Path) -> None:
    root, staging = str(tmp_path / "opt"), tmp_path / "staging"
    for installed in (["tool"], []):
        ship(staging, b"program")
        assert artifacts.install(artifact(), str(staging), root) == installed
        artifacts.leave_staging(str(staging))
        assert not staging.exists()


def test_replaced_binary_is_missing_again(tmp_path: Path) -> None:
    root, staging = str(tmp_path / "opt"), tmp_path / "staging"
    ship(staging, b"program")
    artifacts.install(artifact(), str(staging), root)
    (tmp_path / "opt/thing/1.0/tool").write_bytes(b"another")
    assert len(artifacts.missing([artifact()], root)) == 1


def test_damaged_in_transit(tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    ship(staging, b"progr", name=hashlib.sha256(b"program").hexdigest())
    with pytest.raises(ValueError, match="damaged"):
        artifacts.install(artifact(), str(staging), str(tmp_path / "opt"))
    assert not (tmp_path / "opt/thing/1.0/tool").exists()
    with pytest.raises(ValueError, match="did not arrive"):
        artifacts.install(artifact(), str(staging), str(tmp_path / "opt"))
