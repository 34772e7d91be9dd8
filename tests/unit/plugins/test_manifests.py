"""Objects that are applied, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import kubectl as kubectl_module
from ansible_collections.kubikk.kubikk.plugins.modules.manifests import apply, identity, remove
from ansible_collections.kubikk.kubikk.plugins.modules.nodes import new_node, patch

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "dns", "namespace": "kube-system"}}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}


class Server:
    """Answers as kubectl does for objects that are there, and notes the calls."""

    def __init__(self, present: list[dict[str, Any]], applied: list[dict[str, Any]]) -> None:
        self.answers = {"get": present, "apply": applied}
        self.calls: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> CompletedProcess[str]:
        self.calls.append(command)
        return CompletedProcess(command, 0, json.dumps({"items": self.answers[command[3]]}), "")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubectl"
    monkeypatch.setattr(kubectl_module, "PROGRAM", str(path))
    return path


def test_identity_names_the_namespace_where_there_is_one() -> None:
    assert [identity(DEPLOYMENT), identity(ROLE)] == ["deployment/kube-system/dns", "clusterrole/reader"]


def test_only_what_differs_is_said_to_have_changed() -> None:
    touched = {**ROLE, "metadata": {"name": "reader", "resourceVersion": "2", "managedFields": [{"time": "now"}]}}
    server = Server([ROLE], [touched, DEPLOYMENT])
    assert apply(kubectl_module.Kubectl("/conf", runner=server), [ROLE, DEPLOYMENT], dry_run=False) == [
        "deployment/kube-system/dns created"
    ]
    assert not any("--dry-run=server" in call for call in server.calls)


def test_a_dry_run_asks_the_server(program: Path) -> None:
    program.touch()
    changed = {**ROLE, "rules": []}
    server = Server([ROLE], [changed])
    client = kubectl_module.Kubectl(str(program), runner=server)
    assert apply(client, [changed], dry_run=True) == ["clusterrole/reader changed"]
    assert "--dry-run=server" in server.calls[-1]


@pytest.mark.parametrize("dry_run", [False, True])
def test_only_our_own_objects_are_removed(program: Path, dry_run: bool) -> None:
    program.touch()
    labels = {"app.kubernetes.io/managed-by": "kubikk"}
    ours = {**DEPLOYMENT, "metadata": {"name": "dns", "namespace": "kube-system", "labels": labels}}
    server = Server([ours, {**ROLE, "metadata": {"name": "reader", "labels": {"by": "another"}}}], [])
    server.answers["delete"] = []
    client = kubectl_module.Kubectl(str(program), runner=server)
    assert remove(client, [DEPLOYMENT, ROLE], dry_run=dry_run) == ["deployment/kube-system/dns deleted"]
    assert [call[3] for call in server.calls] == (["get"] if dry_run else ["get", "delete"])


def test_on_a_bare_host_everything_is_new_in_a_dry_run(program: Path) -> None:
    server = Server([], [])
    assert apply(kubectl_module.Kubectl("/conf", runner=server), [ROLE, DEPLOYMENT], dry_run=True) == [
        "clusterrole/reader created",
        "deployment/kube-system/dns created",
    ]
    assert server.calls == []


def test_a_node_that_is_not_registered_yet_will_be_labelled() -> None:
    change = patch(new_node({"name": "w1"}), {"labels": {"a": "1"}, "taints": []})
    assert change is not None
    assert change["metadata"]["labels"] == {"a": "1"}
