"""The end of an installation: nodes are Ready and labelled, addons answer, and what is missing is told."""

from __future__ import annotations

from collections.abc import Callable

from tests.cluster.support.api import Api

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def test_the_node_is_ready(api: Api) -> None:
    conditions = api.get("/api/v1/nodes/cp1")["status"]["conditions"]
    assert {each["type"]: each["status"] for each in conditions}["Ready"] == "True"


def test_the_node_has_its_labels_and_taints(api: Api) -> None:
    node = api.get("/api/v1/nodes/cp1")
    assert node["metadata"]["labels"][_CONTROL_PLANE] == ""
    assert [(taint["key"], taint["effect"]) for taint in node["spec"]["taints"]] == [(_CONTROL_PLANE, "NoSchedule")]


def test_coredns_is_available(api: Api) -> None:
    status = api.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")["status"]
    assert status["availableReplicas"] == status["replicas"] == 2


def test_a_label_comes_and_goes_and_others_stay(api: Api, converge_with: Callable[..., tuple[int, str]]) -> None:
    assert api.patch_status("/api/v1/nodes/cp1", {"metadata": {"labels": {"theirs": "kept"}}}) == 200
    nodes = [{"name": "cp1", "labels": {"ours": "new"}, "taints": []}]
    code, output = converge_with(cluster_ready_nodes=nodes)
    assert code == 0, output
    node = api.get("/api/v1/nodes/cp1")
    assert (node["metadata"]["labels"].get("ours"), node["metadata"]["labels"].get("theirs")) == ("new", "kept")
    assert "taints" not in node["spec"]
    code, output = converge_with()
    assert code == 0, output
    labels = api.get("/api/v1/nodes/cp1")["metadata"]["labels"]
    assert "ours" not in labels
    assert (labels[_CONTROL_PLANE], labels["theirs"]) == ("", "kept")


def test_a_node_that_does_not_come_is_named(refused: Callable[..., str]) -> None:
    output = refused(cluster_ready_nodes=[{"name": "absent"}], cluster_ready_timeout=1)
    assert "node absent is not registered" in output


def test_an_addon_that_does_not_come_is_named(refused: Callable[..., str]) -> None:
    output = refused(cluster_ready_deployments=["kube-system/absent"], cluster_ready_timeout=1)
    assert "deployment kube-system/absent does not exist" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(cluster_ready_timeout="soon")
    assert "cluster_ready_timeout" in output
    assert "cannot be converted to an int" in output
