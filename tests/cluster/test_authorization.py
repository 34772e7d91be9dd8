"""Who may do what: anonymous requests, and nodes that reach for another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.support.api import Api, tls
from tests.cluster.support.description import ClusterHost, Description
from tests.cluster.support.waiting import until


def _as_node(cluster: Description, host: ClusterHost) -> Api:
    """The API, asked with the client certificate of a host's kubelet."""
    return Api(cluster.api_server(), tls(cluster.pki / "ca.crt", cluster.pki / "kubelet" / host.name / "client"))


@pytest.fixture
def guarded(cluster: Description, api: Api, namespace: str, image: str) -> Iterator[str]:
    """Path of a Secret that one pod mounts, on the last node."""
    base = f"/api/v1/namespaces/{namespace}"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "guarded"}, "stringData": {"key": "value"}}
    api.post(f"{base}/secrets", secret)
    container = {"name": "main", "image": image, "imagePullPolicy": "Never", "args": ["pause"]}
    mount = {"name": "guarded", "mountPath": "/guarded"}
    spec: dict[str, Any] = {
        "nodeName": cluster.nodes[-1].name,
        "terminationGracePeriodSeconds": 0,
        "containers": [{**container, "volumeMounts": [mount]}],
        "volumes": [{"name": "guarded", "secret": {"secretName": "guarded"}}],
    }
    api.post(f"{base}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "keeper"}, "spec": spec})
    until(lambda: api.get(f"{base}/pods/keeper")["status"]["phase"] == "Running", "the pod runs", within=60)
    yield f"{base}/secrets/guarded"
    api.delete(f"{base}/pods/keeper")
    api.delete(f"{base}/secrets/guarded")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_anonymous_requests_see_health(cluster: Description, path: str) -> None:
    for host in cluster.control_planes:
        assert Api(cluster.api_server(host), tls(cluster.pki / "ca.crt")).text(path) == "ok"


@pytest.mark.parametrize("path", ["/", "/version", "/api", "/apis", "/metrics", "/openapi/v3", "/api/v1/nodes"])
def test_anonymous_requests_see_nothing_else(cluster: Description, path: str) -> None:
    for host in cluster.control_planes:
        assert Api(cluster.api_server(host), tls(cluster.pki / "ca.crt")).status(path) == 401


def test_a_node_reads_secrets_of_its_own_pods_only(cluster: Description, guarded: str) -> None:
    assert _as_node(cluster, cluster.nodes[-1]).status(guarded) == 200
    for host in cluster.nodes[:-1]:
        assert _as_node(cluster, host).status(guarded) == 403
        assert _as_node(cluster, host).status(guarded.rpartition("/")[0]) == 403


def test_a_node_changes_itself_only(cluster: Description) -> None:
    first, second = cluster.nodes[:2]
    labels = {"metadata": {"labels": {"kubikk.test/changed": None}}}
    mine = _as_node(cluster, first)
    assert mine.patch_status(f"/api/v1/nodes/{first.name}", labels) == 200
    assert mine.patch_status(f"/api/v1/nodes/{second.name}", labels) == 403
    assert mine.patch_status(f"/api/v1/nodes/{second.name}/status", labels) == 403


@pytest.mark.parametrize("label", ["node-restriction.kubernetes.io/tier", "node-role.kubernetes.io/control-plane"])
def test_a_node_gives_itself_no_privileged_label(cluster: Description, label: str) -> None:
    host = cluster.nodes[-1]
    change = {"metadata": {"labels": {label: "stolen"}}}
    assert _as_node(cluster, host).patch_status(f"/api/v1/nodes/{host.name}", change) == 403


def test_components_are_no_administrators(cluster: Description) -> None:
    first = cluster.control_planes[0].name
    everything = {"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": everything}
    pairs = [
        f"control-plane/{first}/{name}" for name in ("controller-manager", "scheduler", "apiserver-kubelet-client")
    ]
    for pair, allowed in [*((pair, False) for pair in pairs), ("admin", True)]:
        mine = Api(cluster.api_server(), tls(cluster.pki / "ca.crt", cluster.pki / pair))
        answer = mine.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        assert answer["status"]["allowed"] is allowed, pair
