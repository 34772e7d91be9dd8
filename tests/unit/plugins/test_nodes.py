"""Labels and taints of nodes: ours are kept, those of others are left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.modules.nodes import (
    MANAGED,
    UNINITIALISED,
    difference,
    not_ready,
    patch,
)

OURS = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
THEIRS = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "now"}


def node(labels: dict[str, str], taints: list[dict[str, str]], managed: dict[str, list[str]] | None) -> dict[str, Any]:
    annotations = {} if managed is None else {MANAGED: json.dumps(managed)}
    return {
        "metadata": {"name": "n", "labels": labels, "annotations": annotations, "resourceVersion": "7"},
        "spec": {"taints": taints},
    }


def test_nothing_to_do() -> None:
    managed = {"labels": ["a"], "taints": ["node-role.kubernetes.io/control-plane:NoSchedule"]}
    assert patch(node({"a": "1", "b": "2"}, [OURS, THEIRS], managed), {"labels": {"a": "1"}, "taints": [OURS]}) is None


@pytest.mark.parametrize(
    ("labels", "managed", "wanted", "expected"),
    [
        ({}, None, {"a": "1"}, {"a": "1"}),
        ({"a": "0"}, {"labels": ["a"], "taints": []}, {"a": "1"}, {"a": "1"}),
        ({"a": "1"}, {"labels": ["a"], "taints": []}, {}, {"a": None}),
        ({"theirs": "1"}, {"labels": [], "taints": []}, {"a": "1"}, {"a": "1"}),
    ],
)
def test_labels(labels: Any, managed: Any, wanted: Any, expected: Any) -> None:
    change = patch(node(labels, [], managed), {"labels": wanted, "taints": []})
    assert change is not None
    assert change["metadata"]["labels"] == expected
    assert "spec" not in change


@pytest.mark.parametrize(
    ("taints", "managed", "wanted", "expected"),
    [
        ([THEIRS], None, [OURS], [THEIRS, OURS]),
        ([OURS, THEIRS], ["node-role.kubernetes.io/control-plane:NoSchedule"], [], [THEIRS]),
        ([dict(OURS, value="x")], [], [OURS], [OURS]),
    ],
)
def test_taints(taints: Any, managed: Any, wanted: Any, expected: Any) -> None:
    record = None if managed is None else {"labels": [], "taints": managed}
    change = patch(node({}, taints, record), {"labels": {}, "taints": wanted})
    assert change is not None
    assert change["spec"]["taints"] == expected
    assert change["metadata"]["resourceVersion"] == "7"


def test_a_node_from_before_the_cloud_is_handed_to_it() -> None:
    wanted = {"labels": {}, "taints": [OURS], "provider_id": "aws:///zone/i-1"}
    before = node({}, [OURS, THEIRS], {"labels": [], "taints": ["node-role.kubernetes.io/control-plane:NoSchedule"]})
    change = patch(before, wanted)
    assert change is not None
    assert change["spec"] == {"taints": [THEIRS, OURS, UNINITIALISED], "providerID": "aws:///zone/i-1"}
    # The taint is the cloud's: it is not taken for ours afterwards.
    assert UNINITIALISED["key"] not in change["metadata"]["annotations"][MANAGED]
    after = node({}, [OURS, THEIRS], {"labels": [], "taints": ["node-role.kubernetes.io/control-plane:NoSchedule"]})
    after["spec"]["providerID"] = "aws:///zone/i-1"
    assert patch(after, wanted) is None


def test_not_ready_says_why() -> None:
    ready = {"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    down = {"type": "Ready", "status": "False", "message": "cni plugin not initialized"}
    sick = {"metadata": {"name": "b"}, "status": {"conditions": [down]}}
    assert not_ready([ready, sick], ["a"], True) == []
    assert not_ready([ready, sick], ["b"], False) == []
    assert not_ready([ready, sick], ["b", "c"], True) == [
        "node b is not Ready: cni plugin not initialized",
        "node c is not registered: see `journalctl -u kubelet` on that host",
    ]


def test_a_difference_is_shown_line_by_line() -> None:
    before = node({"a": "0", "b": "1"}, [THEIRS], {"labels": ["a", "b"], "taints": []})
    change = patch(before, {"labels": {"a": "1"}, "taints": [OURS]})
    assert change is not None
    assert difference(before, change) == {
        "before_header": "node n",
        "after_header": "node n",
        "before": "label a=0\nlabel b=1\ntaint node.kubernetes.io/unreachable=:NoExecute\n",
        "after": "label a=1\ntaint node-role.kubernetes.io/control-plane=:NoSchedule\n"
        "taint node.kubernetes.io/unreachable=:NoExecute\n",
    }
