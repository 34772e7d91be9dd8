"""Whether a component is found as it was left."""

from __future__ import annotations

import base64
import json
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import artifacts, images, kernel, packages, records, systemd

OWNER = pwd.getpwuid(os.geteuid()).pw_name
STATE = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "NeedDaemonReload": "no",
    "InvocationID": "run-1",
}
STAMP = {"inputs": "hash", "invocation": "run-1"}


@pytest.fixture
def want(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A component of one file, one directory and one unit, as it is; the host's programs are not asked."""
    monkeypatch.setattr(records, "DIRECTORY", str(tmp_path / "records"))
    monkeypatch.setattr(systemd, "STAMP_DIRECTORY", str(tmp_path / "stamps"))
    monkeypatch.setattr(artifacts, "ROOT", str(tmp_path / "opt"))
    monkeypatch.setattr(systemd, "show", lambda names: {name: dict(STATE) for name in names})
    monkeypatch.setattr(packages, "absent", lambda names: [name for name in names if name == "missing"])
    monkeypatch.setattr(images, "ensure_images", lambda wanted, runtime, act: [])
    monkeypatch.setattr(kernel, "load_modules", lambda names, act: ([], []))
    (tmp_path / "config").write_text("text")
    (tmp_path / "config").chmod(0o644)
    (tmp_path / "input").write_text("text")
    (tmp_path / "directory").mkdir(mode=0o755)
    systemd.write_stamp("unit", **STAMP)
    entry = {"path": str(tmp_path / "config"), "owner": OWNER, "group": OWNER, "mode": "0644", "create_only": False}
    return {
        "users": [],
        "directories": [{"path": str(tmp_path / "directory"), "owner": OWNER, "group": OWNER, "mode": "0755"}],
        "artifacts": [],
        "files": [dict(entry, content_base64=base64.b64encode(b"text").decode())],
        "absent": [str(tmp_path / "absent")],
        "kernel_modules": [],
        "sysctls": {},
        "packages": ["present"],
        "selinux_booleans": [],
        "units": [
            {
                "name": "unit",
                "state": "started",
                "inputs": [str(tmp_path / "input")],
                "health": {"command": ["test", "!", "-e", str(tmp_path / "unhealthy")]},
                "intact": ["test", "!", "-e", str(tmp_path / "damaged")],
            }
        ],
        "images": [],
        "runtime": "containerd",
    }


def test_what_is_as_it_was_left_is_converged(want: dict[str, Any], tmp_path: Path) -> None:
    records.write("x", "digest", records.describe(want, []))
    assert records.converged() == {"x": {"digest": "digest", "active": ["unit"]}}
    assert want["files"][0]["content_base64"] not in (tmp_path / "records" / "x.json").read_text()
    assert (tmp_path / "records" / "x.json").stat().st_mode & 0o777 == 0o600


def test_a_record_that_says_so_already_is_not_written_again(want: dict[str, Any], tmp_path: Path) -> None:
    records.write("x", "digest", records.describe(want, []))
    before = (tmp_path / "records" / "x.json").stat()
    records.write("x", "digest", records.describe(want, []))
    after = (tmp_path / "records" / "x.json").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def _restart(root: Path, monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    monkeypatch.setattr(systemd, "show", lambda names: {name: {**STATE, **changes} for name in names})


_DRIFTS: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "a file was edited": lambda root, _: (root / "config").write_text("other"),
    "a file is gone": lambda root, _: (root / "config").unlink(),
    "a file has another mode": lambda root, _: (root / "config").chmod(0o600),
    "a directory is gone": lambda root, _: (root / "directory").rmdir(),
    "a directory has another mode": lambda root, _: (root / "directory").chmod(0o700),
    "what was removed is back": lambda root, _: (root / "absent").write_text(""),
    "an input was edited": lambda root, _: (root / "input").write_text("other"),
    "an input is gone": lambda root, _: (root / "input").unlink(),
    "what the unit made is damaged": lambda root, _: (root / "damaged").write_text(""),
    "the unit is not healthy": lambda root, _: (root / "unhealthy").write_text(""),
    "the unit was stopped": lambda root, patch: _restart(root, patch, ActiveState="inactive"),
    "the unit was restarted": lambda root, patch: _restart(root, patch, InvocationID="run-2"),
    "the unit was disabled": lambda root, patch: _restart(root, patch, UnitFileState="disabled"),
    "the unit's file was edited": lambda root, patch: _restart(root, patch, NeedDaemonReload="yes"),
    "the unit's start was noted anew": lambda *_: systemd.write_stamp("unit", "other", "run-1"),
    "a package is gone": lambda _, patch: patch.setattr(packages, "absent", list),
    "an image is gone": lambda _, patch: patch.setattr(images, "ensure_images", lambda *_: ["image"]),
    "a kernel setting was changed": lambda _, patch: patch.setattr(kernel, "apply_sysctls", lambda *_: (["x"], [])),
    "a kernel module is gone": lambda _, patch: patch.setattr(kernel, "load_modules", lambda *_: (["x"], [])),
    "the note is torn": lambda root, _: (root / "records" / "x.json").write_text('{"digest": "x", "want'),
    "a look fails": lambda _, patch: patch.setattr(packages, "absent", lambda _: 1 / 0),
}


@pytest.mark.parametrize("drift", _DRIFTS)
def test_what_is_not_as_it_was_left_is_not(
    want: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drift: str
) -> None:
    records.write("x", "digest", records.describe(want, []))
    _DRIFTS[drift](tmp_path, monkeypatch)
    assert records.converged() == {}


def test_a_file_that_is_written_only_once_may_change(want: dict[str, Any], tmp_path: Path) -> None:
    want["files"][0]["create_only"] = True
    records.write("x", "digest", records.describe(want, []))
    (tmp_path / "config").write_text("renewed")
    assert list(records.converged()) == ["x"]
    (tmp_path / "config").unlink()
    assert records.converged() == {}


@pytest.mark.parametrize(
    ("state", "found", "holds"),
    [
        ("absent", {"LoadState": "not-found"}, True),
        ("absent", {"LoadState": "loaded"}, False),
        ("stopped", {"LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": "disabled"}, True),
        ("stopped", {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "disabled"}, False),
        ("stopped", {"LoadState": "loaded", "ActiveState": "failed", "UnitFileState": "enabled"}, False),
    ],
)
def test_units_that_are_not_to_run(
    want: dict[str, Any], monkeypatch: pytest.MonkeyPatch, state: str, found: dict[str, str], holds: bool
) -> None:
    want["units"][0]["state"] = state
    records.write("x", "digest", records.describe(want, []))
    monkeypatch.setattr(systemd, "show", lambda names: {name: {**STATE, **found} for name in names})
    expected = {"x": {"digest": "digest", "active": []}} if holds else {}
    assert records.converged() == expected


def test_a_missing_binary_is_noticed(want: dict[str, Any], tmp_path: Path) -> None:
    binary = tmp_path / "opt" / "x" / "1" / "program"
    binary.parent.mkdir(parents=True)
    binary.write_text("program")
    file = {"sha256": artifacts.sha256_of(binary), "path": "/cache/program"}
    want["artifacts"] = [{"component": "x", "version": "1", "files": {"program": file}, "link": ""}]
    described = records.describe(want, [])
    assert "/cache" not in json.dumps(described)
    assert artifacts.missing(described["artifacts"], root=str(tmp_path / "opt")) == []
    binary.write_text("another")
    assert artifacts.missing(described["artifacts"], root=str(tmp_path / "opt")) != []
