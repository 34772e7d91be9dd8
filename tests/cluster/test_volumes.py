"""ConfigMaps, Secrets and ServiceAccount tokens in pods."""

from __future__ import annotations

import base64
import json

from tests.cluster.support.api import Api, tls
from tests.cluster.support.description import Description
from tests.cluster.support.probes import Probes

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_config_map_is_mounted(probes: Probes) -> None:
    for node in probes.pods:
        assert probes.shell(node, "cat /etc/settings/greeting") == "hello\nfrom a ConfigMap\n"


def test_secret_is_mounted_in_memory_and_for_its_owner_only(probes: Probes) -> None:
    for node in probes.pods:
        assert probes.shell(node, "cat /etc/password/word") == "open sesame"
        assert probes.shell(node, "stat -L -c %a /etc/password/word") == "400\n"
        assert " tmpfs " in probes.shell(node, "grep ' /etc/password ' /proc/mounts")


def test_secret_in_an_environment_variable(probes: Probes) -> None:
    for node in probes.pods:
        assert probes.shell(node, "echo $PASSWORD") == "open sesame\n"


def test_service_account_token_is_accepted(cluster: Description, probes: Probes) -> None:
    for pod in probes.pods.values():
        token = probes.shell(pod.node, f"cat {_ACCOUNT}/token")
        mine = Api(cluster.api_server(), tls(cluster.pki / "ca.crt"), token)
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        user = mine.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)["status"]["userInfo"]
        assert user["username"] == f"system:serviceaccount:{probes.namespace}:default"
        assert user["extra"]["authentication.kubernetes.io/pod-name"] == [pod.name]
        # Known, and without any rights.
        assert mine.status(f"/api/v1/namespaces/{probes.namespace}/secrets") == 403


def test_service_account_token_is_short_lived(cluster: Description, probes: Probes) -> None:
    node = next(iter(probes.pods))
    payload = probes.shell(node, f"cat {_ACCOUNT}/token").split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["iss"] == f"https://kubernetes.default.svc.{cluster.variables['kubikk_dns_domain']}"
    assert claims["kubernetes.io"]["pod"]["name"] == probes.pods[node].name
    # A year is what kube-apiserver grants clients that do not reload; kubelet replaces the token after an hour.
    assert claims["exp"] - claims["iat"] <= 366 * 86400
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] <= 2 * 3600


def test_pods_get_the_cluster_authority(cluster: Description, probes: Probes) -> None:
    for node in probes.pods:
        assert probes.shell(node, f"cat {_ACCOUNT}/ca.crt").strip() == (cluster.pki / "ca.crt").read_text().strip()
