"""What a component was is noted once, and put back to the byte."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import previous


def want(root: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "etcd",
        "files": [
            {"path": str(root / "config"), "create_only": False},
            {"path": str(root / "own.pem"), "create_only": True},
        ],
        "absent": [str(root / "old")],
        "artifacts": [{"link": str(root / "bin"), "files": {"etcd": {}, "etcdctl": {}}}],
        "units": [],
        **changes,
    }


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/etcd").symlink_to("/opt/kubikk/etcd/3.6.14/etcd")
    (tmp_path / "config").write_bytes(b"first\xff")
    (tmp_path / "config").chmod(0o600)
    (tmp_path / "own.pem").write_text("first")
    (tmp_path / "old").write_text("was there")
    return tmp_path


def change(host: Path) -> None:
    for name in ("etcd", "etcdctl"):
        (host / "bin" / name).unlink(missing_ok=True)
        (host / "bin" / name).symlink_to(f"/opt/kubikk/etcd/3.7.3/{name}")
    (host / "config").write_text("second")
    (host / "config").chmod(0o644)
    (host / "own.pem").write_text("second")
    (host / "old").unlink()


def test_everything_comes_back(host: Path) -> None:
    notes = str(host / "notes")
    previous.remember(want(host), notes)
    change(host)
    [(name, record)] = previous.records(notes)
    assert name == "etcd"
    assert sorted(Path(path).name for path in previous.put_back(record)) == ["config", "etcd", "etcdctl", "old"]
    assert (host / "config").read_bytes() == b"first\xff"
    assert (host / "config").stat().st_mode & 0o777 == 0o600
    assert (host / "old").read_text() == "was there"
    assert (host / "bin/etcd").readlink() == Path("/opt/kubikk/etcd/3.6.14/etcd")
    assert not (host / "bin/etcdctl").is_symlink()
    # What a daemon renews by itself is its own.
    assert (host / "own.pem").read_text() == "second"
    assert previous.versions(record) == {"etcd": "3.6.14"}
    assert previous.put_back(record) == []


def test_what_a_broken_off_change_noted_counts(host: Path) -> None:
    notes = str(host / "notes")
    previous.remember(want(host), notes)
    change(host)
    previous.remember(want(host), notes)
    [(_, record)] = previous.records(notes)
    assert base64.b64decode(record["files"][str(host / "config")]["content"]) == b"first\xff"
    assert previous.forget("etcd", notes)
    assert not previous.forget("etcd", notes)
    assert previous.records(notes) == []


def test_notes_are_closed_to_others_and_in_order(host: Path) -> None:
    notes = host / "notes"
    for name in ("kubelet", "containerd"):
        previous.remember(want(host, name=name), str(notes))
    assert [name for name, _ in previous.records(str(notes))] == ["kubelet", "containerd"]
    assert notes.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in notes.iterdir()} == {0o600}
