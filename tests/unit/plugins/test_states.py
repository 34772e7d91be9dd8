"""What the cluster in the API is like, in one sha256."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils.states import cluster

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "coredns", "namespace": "kube-system", "generation": 3, "resourceVersion": "7"},
    "spec": {"replicas": 2},
    "status": {"observedGeneration": 3, "updatedReplicas": 2, "availableReplicas": 2},
}
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "w1",
        "uid": "u1",
        "labels": {"zone": "a"},
        "annotations": {"flannel.alpha.coreos.com/backend-data": "x"},
    },
    "spec": {"podCIDR": "10.244.1.0/24"},
    "status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "1"}]},
}
LOOK: dict[str, Any] = {
    "objects": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns"}}],
    "absent": [],
    "deployments": ["kube-system/coredns"],
    "nodes": ["w1"],
    "wait_ready": True,
}


def _state(found: list[dict[str, Any]]) -> str:
    return str(cluster(lambda *_, **__: json.dumps({"items": found}), LOOK))


def _with(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> str:
    deployment, node = copy.deepcopy(DEPLOYMENT), copy.deepcopy(NODE)
    change(deployment, node)
    return _state([deployment, node])


@pytest.mark.parametrize(
    "change",
    [
        lambda deployment, node: node["status"]["conditions"][0].update(lastHeartbeatTime="2"),
        lambda deployment, node: node["metadata"]["annotations"].update(others="y"),
        lambda deployment, node: deployment["metadata"].update(resourceVersion="8"),
    ],
    ids=["a heartbeat", "somebody's annotation", "a resource version"],
)
def test_what_changes_by_itself_makes_no_difference(change: Callable[[Any, Any], object]) -> None:
    assert _with(change) == _state([DEPLOYMENT, NODE])


@pytest.mark.parametrize(
    "change",
    [
        lambda deployment, node: node["metadata"]["labels"].update(zone="b"),
        lambda deployment, node: node["metadata"]["annotations"].update({"kubikk.io/drained": ""}),
        lambda deployment, node: node["spec"].update(unschedulable=True),
        lambda deployment, node: node["spec"].update(taints=[{"key": "x", "effect": "NoSchedule"}]),
        lambda deployment, node: deployment["spec"].update(paused=True),
    ],
    ids=["a label", "a drain that broke off", "cordoned", "a taint", "a deployment"],
)
def test_what_somebody_changed_does(change: Callable[[Any, Any], object]) -> None:
    assert _with(change) not in ("", _state([DEPLOYMENT, NODE]))


@pytest.mark.parametrize(
    "change",
    [
        lambda deployment, node: node["status"]["conditions"][0].update(status="False"),
        lambda deployment, node: deployment["status"].update(availableReplicas=1),
    ],
    ids=["a node is not Ready", "a deployment is not available"],
)
def test_what_has_to_be_waited_for_has_no_state(change: Callable[[Any, Any], object]) -> None:
    assert _with(change) == ""


def test_a_node_that_is_missing_has_to_be_waited_for() -> None:
    assert _state([DEPLOYMENT]) == ""
