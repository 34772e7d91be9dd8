"""Controllers beside an API server: how they run, who gets in, that they control, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_DIRECTORY = "/etc/kubernetes/kube-controller-manager"
_SERVER = "https://127.0.0.1:10257"


def test_it_runs(host: Host) -> None:
    found = unit(host, "kube-controller-manager")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "kube-controller-manager")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["kube-controller-manager"]["version"]
    assert host.check_output("kube-controller-manager --version") == f"Kubernetes v{version.removeprefix('v')}"


def test_permissions(host: Host) -> None:
    owner = "kube-controller-manager:kube-controller-manager"
    expected = {f"{_DIRECTORY}/{name}.key": f"600 {owner}" for name in ("client", "server", "ca", "sa")}
    expected |= {_DIRECTORY: f"750 {owner}", f"{_DIRECTORY}/kubeconfig": f"644 {owner}"}
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, "kube-controller-manager") == {"127.0.0.1:10257"}


def test_strangers_see_its_health_only(host: Host) -> None:
    verified = ("--cacert", f"{_DIRECTORY}/ca.crt")
    assert status(host, f"{_SERVER}/healthz", *verified) == 200
    assert status(host, f"{_SERVER}/metrics", *verified) in (401, 403)


def test_a_namespace_gets_its_service_account(api: Api) -> None:
    api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "molecule"}})
    accounts = until(
        lambda: api.items("/api/v1/namespaces/molecule/serviceaccounts"), "a ServiceAccount is made", within=60
    )
    assert [account["metadata"]["name"] for account in accounts] == ["default"]


def test_a_node_gets_its_part_of_the_pod_network(api: Api) -> None:
    api.post("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    part = until(lambda: api.get("/api/v1/nodes/node")["spec"].get("podCIDR"), "the node has addresses", within=60)
    assert part == "10.244.0.0/24"


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(kube_controller_manager_flags={"no-such-flag": "x"}, kube_controller_manager_start_timeout=4)
    assert "last lines of its journal" in output
    assert "unknown flag: --no-such-flag" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(kube_controller_manager_start_timeout="soon")
    assert "kube_controller_manager_start_timeout" in output
    assert "cannot be converted to an int" in output
