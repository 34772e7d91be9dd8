"""Nodes are cordoned and uncordoned by who cordoned them; they are back when they say so."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils.cordon import DRAINED, cordon, is_ours, uncordon
from ansible_collections.kubikk.kubikk.plugins.modules.drain import needs_draining, not_back

READY = {"type": "Ready", "status": "True"}
DOWN = {"type": "Ready", "status": "False", "message": "container runtime is down"}


def node(runtime: str = "", *conditions: dict[str, str], cordoned: bool = False, ours: bool = False) -> dict[str, Any]:
    return {
        "metadata": {"name": "w1", "annotations": {DRAINED: ""} if ours else {}},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"nodeInfo": {"containerRuntimeVersion": runtime}, "conditions": list(conditions)},
    }


def test_who_cordoned() -> None:
    change = cordon(node())
    assert change == {"metadata": {"annotations": {DRAINED: ""}}, "spec": {"unschedulable": True}}
    # An operator's cordon is not touched, and so it is not undone.
    assert cordon(node(cordoned=True)) is None
    assert not is_ours(node(cordoned=True))
    assert is_ours(node(cordoned=True, ours=True))
    assert uncordon() == {"metadata": {"annotations": {DRAINED: None}}, "spec": {"unschedulable": None}}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (node("cri-o://1.36.3", READY), []),
        # Ready is what it said of the runtime that is gone.
        (node("containerd://2.4.2", READY), ["node w1 still reports containerd://2.4.2"]),
        (node("cri-o://1.36.3", DOWN), ["node w1 is not Ready: container runtime is down"]),
        (node("cri-o://1.36.3"), ["node w1 is not Ready: "]),
    ],
)
def test_when_a_node_is_back(found: dict[str, Any], expected: list[str]) -> None:
    assert not_back(found, "cri-o") == expected


def reporting(runtime: str, kubelet: str) -> dict[str, Any]:
    found = node(runtime, READY)
    found["status"]["nodeInfo"]["kubeletVersion"] = kubelet
    return found


def test_a_node_with_an_old_kubelet_is_not_back() -> None:
    found = reporting("containerd://2.4.2", "v1.36.3")
    assert not_back(found, "containerd", "v1.37.2") == ["node w1 still reports kubelet v1.36.3"]
    assert not_back(found, "", "v1.36.3") == []


@pytest.mark.parametrize(
    ("runtime", "version", "expected"),
    [
        ("containerd://2.4.2", "v1.37.2", False),
        ("containerd://2.4.2", "v1.37.3", True),
        ("containerd://2.4.3", "v1.37.2", True),
        ("containerd", "v1.37.2", False),
        ("contain", "v1.37.2", True),
        ("", "", True),
    ],
)
def test_which_node_is_drained(runtime: str, version: str, *, expected: bool) -> None:
    assert needs_draining(reporting("containerd://2.4.2", "v1.37.2"), runtime, version) is expected
