"""What went wrong on a host, as data."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import artifacts, failures, systemd
from ansible_collections.kubikk.kubikk.plugins.module_utils.images import ImageError
from ansible_collections.kubikk.kubikk.plugins.module_utils.packages import PackageError
from ansible_collections.kubikk.kubikk.plugins.modules.manifests import waiting_pods


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/etc/x"), {"kind": "disk-full", "path": "/etc/x"}),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), {"kind": "disk-full", "path": ""}),
        (OSError(errno.EACCES, "Permission denied", "/etc/x"), {}),
        (ValueError("anything"), {}),
        (ImageError("no"), {"kind": "image", "seen": "no"}),
        (PackageError("no"), {"kind": "package", "seen": "no"}),
        (
            artifacts.DamagedError("no", "etcd", "etcd"),
            {"kind": "damaged", "file": "etcd", "component": "etcd", "seen": "no"},
        ),
        (systemd.UnitError("no", {"kind": "quorum"}), {"kind": "quorum"}),
        (systemd.UnitError("no"), {}),
    ],
)
def test_kind(error: Exception, expected: dict[str, str]) -> None:
    assert failures.of(error) == expected


def test_errors_of_writing_name_the_file() -> None:
    with pytest.raises(OSError, match="/etc/x"), failures.naming("/etc/x"):
        raise OSError(errno.ENOSPC, "No space left on device")


JOURNAL = """\
100.5 cp1 systemd[1]: Started it.
200.25 cp1 kubelet[7]: E1124 listen tcp :10250: bind: address already in use
  goes on here
300.0 cp1 kubelet[8]: the last: line
"""


def test_journal_lines() -> None:
    lines, recent = systemd.read_journal(JOURNAL, 200.0)
    assert lines == [
        "Started it.",
        "E1124 listen tcp :10250: bind: address already in use",
        "  goes on here",
        "the last: line",
    ]
    assert recent == [lines[1], lines[3]]


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "kube-system", "name": "a"}, "spec": {"nodeName": "w1"}, "status": status}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, []),
        ({"containerStatuses": [{"ready": True, "state": {"running": {}}}]}, []),
        (
            {"containerStatuses": [{"image": "i", "state": {"waiting": {"reason": "ErrImagePull", "message": "m"}}}]},
            [("i", "ErrImagePull", "m")],
        ),
        (
            {"containerStatuses": [{"image": "i", "state": {"terminated": {"reason": "Error"}}}]},
            [("i", "Error", "")],
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}]},
            [("", "Unschedulable", "m")],
        ),
    ],
)
def test_pods_that_wait(status: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = waiting_pods([pod(**status)])
    assert [(each["image"], each["reason"], each["seen"]) for each in found] == expected


def test_journal_of_what_is_started_again_and_again() -> None:
    once = [
        "{0} cp1 kubelet[{0}]: begins with",
        *(f"  setting {number}" for number in range(100)),
        "{0} cp1 kubelet[{0}]: the reason",
        "{0} cp1 systemd[1]: kubelet.service: Main process exited, code=exited, status=1/FAILURE",
        "{0} cp1 systemd[1]: Started it again.",
    ]
    text = "\n".join(line.format(time) for time in (100, 200) for line in once)
    shown, recent = systemd.read_journal(text + "\n201 cp1 kubelet[3]: begins anew\n", 150.0)
    assert shown[-2:] == ["the reason", "kubelet.service: Main process exited, code=exited, status=1/FAILURE"]
    assert len(shown) == systemd.SHOWN
    assert recent == [
        "begins with",
        "the reason",
        "kubelet.service: Main process exited, code=exited, status=1/FAILURE",
        "Started it again.",
        "begins anew",
    ]
    assert systemd.read_journal(text, 300.0)[0][-1] == "Started it again."
