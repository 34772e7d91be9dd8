"""etcd: members, health, and what lies in it."""

from __future__ import annotations

import base64
import json
import secrets

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description

_ETCDCTL = (
    "etcdctl --endpoints={endpoints} --cacert=/etc/etcd/pki/ca.crt "
    "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key "
)


def _etcdctl(cluster: Description, access: Access, command: str) -> str:
    endpoints = ",".join(cluster.variables["kubikk_etcd_endpoints"])
    return access.output(cluster.etcd_hosts[0].name, _ETCDCTL.format(endpoints=endpoints) + command)


def _raw(cluster: Description, access: Access, key: str) -> bytes:
    """The bytes stored for a key of Kubernetes."""
    found = json.loads(_etcdctl(cluster, access, f"get /registry/{key} --write-out=json"))
    return base64.b64decode(found["kvs"][0]["value"])


def test_members(cluster: Description, access: Access) -> None:
    members = json.loads(_etcdctl(cluster, access, "member list --write-out=json"))["members"]
    assert {member["name"]: member["clientURLs"] for member in members} == {
        host.name: [f"https://{host.address}:2379"] for host in cluster.etcd_hosts
    }
    assert not any(member.get("isLearner") for member in members)


def test_every_member_is_healthy(cluster: Description, access: Access) -> None:
    states = json.loads(_etcdctl(cluster, access, "endpoint health --write-out=json"))
    assert len(states) == len(cluster.etcd_hosts)
    assert all(state["health"] for state in states)


def test_members_agree(cluster: Description, access: Access) -> None:
    states = [each["Status"] for each in json.loads(_etcdctl(cluster, access, "endpoint status --write-out=json"))]
    assert len({state["leader"] for state in states}) == 1
    assert {state["version"] for state in states} == {cluster.variables["kubikk_artifacts"]["etcd"]["version"]}
    assert not any(state.get("errors") for state in states)


@pytest.fixture
def word() -> str:
    """Found nowhere by chance."""
    return f"plain-{secrets.token_hex(12)}"


def test_a_secret_is_not_stored_in_plain_text(
    cluster: Description, access: Access, api: Api, namespace: str, word: str
) -> None:
    metadata = {"name": word}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": word}}
    api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    stored = _raw(cluster, access, f"secrets/{namespace}/{word}")
    assert stored.startswith(b"k8s:enc:secretbox:")
    assert word.encode() not in stored
    assert base64.b64encode(word.encode()) not in stored
    # What is not secret is: the search finds what there is to find.
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": word}}
    api.post(f"/api/v1/namespaces/{namespace}/configmaps", settings)
    assert word.encode() in _raw(cluster, access, f"configmaps/{namespace}/{word}")


def test_every_secret_is_encrypted(cluster: Description, access: Access) -> None:
    found = json.loads(_etcdctl(cluster, access, "get --prefix /registry/secrets/ --write-out=json")).get("kvs", [])
    assert found
    for each in found:
        stored, key = base64.b64decode(each["value"]), base64.b64decode(each["key"]).decode()
        assert stored.startswith(b"k8s:enc:secretbox:"), key
