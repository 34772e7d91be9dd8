"""What is applied to the API: kubectl, the administrator's kubeconfig, permissions, CoreDNS, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

from shared.hosts import permissions
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description

_DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


def test_kubectl_works_on_the_host(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["kubectl"]["version"]
    assert host.check_output("readlink /usr/local/bin/kubectl") == f"/opt/kubikk/kubectl/{version}/kubectl"
    assert host.check_output("kubectl --kubeconfig=/etc/kubernetes/admin.conf auth can-i '*' '*'") == "yes"


def test_permissions(host: Host) -> None:
    expected = {
        "/etc/kubernetes/admin.conf": "600 root:root",
        "/etc/kubernetes/admin": "700 root:root",
        "/etc/kubernetes/admin/admin.key": "600 root:root",
    }
    assert permissions(host, expected) == expected


def test_coredns_is_applied(api: Api, cluster: Description) -> None:
    deployment = api.get(_DEPLOYMENT)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == cluster.variables["kubikk_artifacts"]["image-coredns"]["ref"]
    service = api.get("/api/v1/namespaces/kube-system/services/kube-dns")
    assert service["spec"]["clusterIP"] == cluster.variables["kubikk_dns_address"]


def test_flanneld_may_read_nodes(api: Api) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "system:flannel", "resourceAttributes": {"verb": "watch", "resource": "nodes"}},
    }
    assert api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"] is True


def test_what_was_changed_by_hand_is_set_back(api: Api, converge_with: Callable[..., tuple[int, str]]) -> None:
    api.delete("/api/v1/namespaces/kube-system/configmaps/coredns")
    code, output = converge_with()
    assert code == 0, output
    assert "Corefile" in api.get("/api/v1/namespaces/kube-system/configmaps/coredns")["data"]


def test_what_the_api_refuses_is_told(refused: Callable[..., str]) -> None:
    output = refused(addons_dns_address="192.0.2.1")
    assert "kube-dns" in output
    assert "192.0.2.1" in output


def test_an_unknown_network_plugin_is_refused(refused: Callable[..., str]) -> None:
    assert "value of addons_network_plugin must be one of:" in refused(addons_network_plugin="token-ring")
