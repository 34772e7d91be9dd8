"""When a unit must be restarted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import systemd

STAMP = {"inputs": "hash", "invocation": "run-1"}


@pytest.mark.parametrize(
    ("state", "stamp", "inputs", "expected"),
    [
        ({"ActiveState": "active", "InvocationID": "run-1"}, STAMP, "hash", None),
        ({"ActiveState": "activating", "InvocationID": "run-1"}, STAMP, "hash", None),
        ({"ActiveState": "inactive", "InvocationID": ""}, STAMP, "hash", "it is inactive"),
        ({"ActiveState": "failed", "InvocationID": "run-1"}, STAMP, "hash", "it is failed"),
        ({"ActiveState": "active", "InvocationID": "run-1"}, STAMP, "other", "what it reads has changed"),
        # Started by hand or by systemd before the files were last written, or never noted.
        (
            {"ActiveState": "active", "InvocationID": "run-2"},
            STAMP,
            "hash",
            "it was started before its files were written",
        ),
        (
            {"ActiveState": "active", "InvocationID": "run-1"},
            {},
            "hash",
            "it was started before its files were written",
        ),
    ],
)
def test_reason(
    tmp_path: Path, state: dict[str, str], stamp: dict[str, str], inputs: str, expected: str | None
) -> None:
    file = tmp_path / "config"
    file.write_text("x")
    assert systemd.reason_to_restart(state, stamp, inputs, [str(file)]) == expected


def test_restarted_by_systemd_after_its_files(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("x")
    started = str(int((time.monotonic() + 5) * 1e6))
    state = {"ActiveState": "active", "InvocationID": "run-2", "ExecMainStartTimestampMonotonic": started}
    assert systemd.reason_to_restart(state, STAMP, "hash", [str(file)]) is None


@pytest.mark.parametrize(
    ("unit", "state", "stamp", "expected"),
    [
        ({"reload": True}, {}, {}, True),
        ({"reload": False}, {}, {}, False),
        # Its unit or its binary has changed, too.
        ({"reload": True}, {}, {"start": "other"}, False),
        # It was started by somebody else, or does not run.
        ({"reload": True}, {"InvocationID": "run-2"}, {}, False),
        ({"reload": True}, {"ActiveState": "activating"}, {}, False),
        # Noted before units were reloaded.
        ({"reload": True}, {}, {"start": ""}, False),
    ],
)
def test_reload(unit: dict[str, bool], state: dict[str, str], stamp: dict[str, str], expected: bool) -> None:
    running = {"ActiveState": "active", "InvocationID": "run-1", **state}
    noted = {**STAMP, "start": "unit", **stamp}
    assert systemd.can_reload(unit, running, noted, "unit") is expected


def unit_call(text: str = "[Service]") -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    unit: dict[str, Any] = {"name": "x", "content_base64": text, "dropin_base64": None, "inputs": []}
    files = [{"path": "/etc/x", "content_base64": "Yg==", "restart_on": True, "create_only": False}]
    artifacts = [{"component": "x", "version": "1", "files": {"x": {"sha256": "1"}}}]
    return unit, files, artifacts


def test_inputs_follow_everything_that_asks_for_a_restart() -> None:
    before, paths = systemd.inputs_of(*unit_call("YQ=="))
    assert paths == ["/etc/systemd/system/x.service", "/etc/x", "/opt/kubikk/x/1/x"]
    assert systemd.inputs_of(*unit_call("YQ=="))[0] == before
    assert systemd.inputs_of(*unit_call("Yw=="))[0] != before
    unit, files, artifacts = unit_call("YQ==")
    other = [{"component": "x", "version": "1", "files": {"x": {"sha256": "2"}}}]
    assert systemd.inputs_of(unit, files, other)[0] != before
    files[0]["content_base64"] = "Yw=="
    assert systemd.inputs_of(unit, files, artifacts)[0] != before
    files[0]["restart_on"] = False
    without = systemd.inputs_of(unit, files, artifacts)[0]
    files[0]["content_base64"] = "ZA=="
    assert systemd.inputs_of(unit, files, artifacts)[0] == without


@pytest.mark.parametrize(("healthy", "passes"), [({"a", "b"}, True), ({"a"}, False), (set(), False)])
def test_gate_counts_the_other_members(healthy: set[str], passes: bool) -> None:
    unit = {"name": "etcd", "gate": {"urls": ["a", "b"], "at_least": 2, "timeout": 0}}

    def once(check: dict[str, Any]) -> str | None:
        return None if check["url"] in healthy else f"{check['url']} is down"

    if passes:
        systemd.pass_gate(unit, once)
    else:
        with pytest.raises(systemd.UnitError, match="b is down"):
            systemd.pass_gate(unit, once)


def test_unit_without_gate_is_restarted_at_once() -> None:
    systemd.pass_gate({"name": "kubelet"}, once=lambda _: "never asked")


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ([], None),
        (["true"], None),
        (["sh", "-c", "echo the chain KUBE-SERVICES is empty; exit 1"], "the chain KUBE-SERVICES is empty"),
    ],
)
def test_damage_is_what_the_program_says(program: list[str], expected: str | None) -> None:
    found = systemd.damage({"intact": program})
    assert found is None if expected is None else found is not None and found.endswith(expected)


def test_a_unit_is_removed_with_what_was_noted_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(systemd, "UNIT_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(systemd, "STAMP_DIRECTORY", str(tmp_path / "units"))
    monkeypatch.setattr(systemd, "systemctl", lambda *arguments: calls.append(arguments))
    (tmp_path / "a.service").touch()
    systemd.write_stamp("a", "inputs", "invocation")
    assert systemd.remove_unit_file("a", act=False) == [f"{tmp_path}/a.service"]
    assert systemd.read_stamp("a") and not calls
    assert systemd.remove_unit_file("a", act=True) == [f"{tmp_path}/a.service"]
    assert systemd.read_stamp("a") == {}
    assert calls == [("daemon-reload",)]
    assert systemd.remove_unit_file("a", act=True) == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("etcd", "etcd.service"),
        ("etcd-snapshot.timer", "etcd-snapshot.timer"),
        ("cri-docker.socket", "cri-docker.socket"),
    ],
)
def test_names_of_unit_files(name: str, file: str) -> None:
    assert systemd.file_name(name) == file
    unit = {"name": name, "content_base64": "eA==", "dropin_base64": "eA=="}
    paths = [entry["path"] for entry in systemd.unit_files(unit)]
    assert paths == [f"/etc/systemd/system/{file}", f"/etc/systemd/system/{file}.d/kubikk.conf"]


def test_a_timer_that_a_reboot_started_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.timer"
    file.write_text("x")
    started = str(int((time.monotonic() + 5) * 1e6))
    state = {"ActiveState": "active", "InvocationID": "run-2", "ActiveEnterTimestampMonotonic": started}
    assert systemd.reason_to_restart(state, STAMP, "hash", [str(file)]) is None
