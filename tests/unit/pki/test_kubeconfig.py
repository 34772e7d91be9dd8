"""The operator's kubeconfig."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubikk.errors import KubikkError
from kubikk.pki import kubeconfig, write_kubeconfig

from .conftest import make_cluster

CONTEXTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"prod-cp1": "https://10.0.0.11:6443", "prod-cp2": "https://10.0.0.12:6443"}),
    ({"port": 7443}, {"prod-cp1": "https://10.0.0.11:7443", "prod-cp2": "https://10.0.0.12:7443"}),
    ({"load_balancer": "external", "endpoint": "api.example.com"}, {"prod": "https://api.example.com:6443"}),
    ({"load_balancer": "keepalived", "endpoint": "10.0.0.200"}, {"prod": "https://10.0.0.200:6443"}),
]


@pytest.mark.parametrize(("api", "servers"), CONTEXTS)
def test_contexts(original: Path, api: dict[str, Any], servers: dict[str, str]) -> None:
    content = yaml.safe_load(kubeconfig(make_cluster(api=api), original))
    assert {entry["name"]: entry["cluster"]["server"] for entry in content["clusters"]} == servers
    assert [entry["name"] for entry in content["contexts"]] == list(servers)
    assert content["current-context"] == next(iter(servers))
    assert {entry["context"]["user"] for entry in content["contexts"]} == {content["users"][0]["name"]}
    embedded = content["users"][0]["user"]["client-key-data"]
    assert base64.b64decode(embedded) == (original / "admin.key").read_bytes()


def test_written_once_and_closed(original: Path, tmp_path: Path) -> None:
    path, cluster = tmp_path / "kubeconfig", make_cluster()
    assert write_kubeconfig(cluster, original, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not write_kubeconfig(cluster, original, path)
    path.chmod(0o644)
    assert write_kubeconfig(cluster, original, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_before_the_certificates(tmp_path: Path) -> None:
    with pytest.raises(KubikkError, match="does not exist"):
        kubeconfig(make_cluster(), tmp_path)
