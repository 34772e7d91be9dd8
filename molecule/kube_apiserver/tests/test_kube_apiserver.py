"""An API server on an etcd of its own: how it runs, who gets in, what it writes down, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description

_DIRECTORY = "/etc/kubernetes/kube-apiserver"
_VERIFIED = ("--cacert", f"{_DIRECTORY}/ca.crt")
_SERVER = "https://127.0.0.1:6443"


def test_it_runs(host: Host) -> None:
    found = unit(host, "kube-apiserver")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "kube-apiserver")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description, api: Api) -> None:
    version = cluster.variables["kubikk_artifacts"]["kube-apiserver"]["version"]
    assert host.check_output("readlink /usr/local/bin/kube-apiserver").startswith(
        f"/opt/kubikk/kube-apiserver/{version}/"
    )
    assert api.get("/version")["gitVersion"].removeprefix("v") == version.removeprefix("v")


def test_permissions(host: Host) -> None:
    keys = ("server", "etcd-client", "kubelet-client", "front-proxy-client", "sa")
    expected = {f"{_DIRECTORY}/{name}.key": "600 kube-apiserver:kube-apiserver" for name in keys}
    expected |= {
        _DIRECTORY: "750 kube-apiserver:kube-apiserver",
        f"{_DIRECTORY}/encryption.yaml": "600 kube-apiserver:kube-apiserver",
        "/var/log/kube-apiserver": "750 kube-apiserver:kube-apiserver",
        "/etc/systemd/system/kube-apiserver.service": "644 root:root",
    }
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, "kube-apiserver") == {"*:6443"}


def test_strangers_reach_health_endpoints_only(host: Host) -> None:
    paths = {"/readyz": 200, "/livez": 200, "/healthz": 200, "/version": 401, "/api": 401, "/metrics": 401}
    assert {path: status(host, _SERVER + path, *_VERIFIED) for path in paths} == paths


def test_the_administrator_may_do_everything(api: Api) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "*", "group": "*", "resource": "*"}},
    }
    answer = api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    assert answer["status"]["allowed"] is True


def test_a_secret_is_encrypted_and_audited(host: Host, api: Api) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "molecule"}, "stringData": {"word": "sesame"}}
    api.delete("/api/v1/namespaces/default/secrets/molecule")
    api.post("/api/v1/namespaces/default/secrets", secret)
    stored = host.check_output(
        "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/healthcheck.crt "
        "--key=/etc/etcd/pki/healthcheck.key get --print-value-only /registry/secrets/default/molecule | head -c 24"
    )
    assert stored.startswith("k8s:enc:secretbox:")
    assert host.run('grep --quiet \'"name":"molecule"\' /var/log/kube-apiserver/audit.log').rc == 0
    assert host.run("grep --quiet sesame /var/log/kube-apiserver/audit.log").rc == 1


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(kube_apiserver_flags={"no-such-flag": "x"}, kube_apiserver_start_timeout=4)
    assert "last lines of its journal" in output
    assert "unknown flag: --no-such-flag" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(kube_apiserver_audit_log_maxage="for ever")
    assert "kube_apiserver_audit_log_maxage" in output
    assert "cannot be converted to an int" in output
