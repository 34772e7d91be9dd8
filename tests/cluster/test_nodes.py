"""Nodes: all there, Ready, of the right version, labelled and tainted."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.units import expected

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@pytest.fixture(scope="module")
def nodes(api: Api) -> dict[str, dict[str, Any]]:
    """Node objects by name."""
    return {node["metadata"]["name"]: node for node in api.items("/api/v1/nodes")}


def test_every_host_is_a_node(cluster: Description, nodes: dict[str, dict[str, Any]]) -> None:
    assert sorted(nodes) == sorted(host.name for host in cluster.nodes)


def test_nodes_are_ready(nodes: dict[str, dict[str, Any]], subtests: pytest.Subtests) -> None:
    wanted = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
    for name, node in nodes.items():
        with subtests.test(node=name):
            conditions = {each["type"]: each["status"] for each in node["status"]["conditions"]}
            assert {kind: conditions.get(kind) for kind in wanted} == wanted


def test_versions(cluster: Description, nodes: dict[str, dict[str, Any]], subtests: pytest.Subtests) -> None:
    artifacts = cluster.variables["kubikk_artifacts"]
    for name, node in nodes.items():
        with subtests.test(node=name):
            info = node["status"]["nodeInfo"]
            assert info["kubeletVersion"] == f"v{cluster.variables['kubikk_kubernetes_version']}"
            runtime, version = info["containerRuntimeVersion"].split("://")
            assert runtime == cluster.hosts[name].runtime
            if runtime != "docker":  # whose version is the distribution's
                assert version.removeprefix("v") == artifacts[runtime]["version"]
            assert info["architecture"] == cluster.hosts[name].variables["kubikk_host"]["arch"]


def test_api_servers_have_the_version(cluster: Description, api: Api) -> None:
    assert api.get("/version")["gitVersion"] == f"v{cluster.variables['kubikk_kubernetes_version']}"


def test_labels_and_taints(cluster: Description, nodes: dict[str, dict[str, Any]], subtests: pytest.Subtests) -> None:
    for name, node in nodes.items():
        with subtests.test(node=name):
            wanted = cluster.hosts[name].variables["kubikk_host"]
            labels = node["metadata"]["labels"]
            assert wanted["labels"].items() <= labels.items()
            assert (_CONTROL_PLANE in labels) == ("control-plane" in wanted["roles"])
            taints = [f"{each['key']}:{each['effect']}" for each in node["spec"].get("taints", [])]
            only_control_plane = "control-plane" in wanted["roles"] and "worker" not in wanted["roles"]
            assert (f"{_CONTROL_PLANE}:NoSchedule" in taints) == only_control_plane


def test_addresses_and_pod_networks(cluster: Description, nodes: dict[str, dict[str, Any]]) -> None:
    networks = [ip_network(node["spec"]["podCIDR"]) for node in nodes.values()]
    whole = ip_network(cluster.variables["kubikk_pod_cidr"])
    assert all(network.subnet_of(whole) for network in networks)  # type: ignore[arg-type]
    assert len(set(networks)) == len(nodes)
    for name, node in nodes.items():
        addresses = [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"]
        assert addresses == [cluster.hosts[name].address]


def test_units_run(cluster: Description, access: Access, subtests: pytest.Subtests) -> None:
    for host in cluster.hosts:
        units = expected(cluster, host)
        with subtests.test(host=host):
            states = access.output(host, f"systemctl is-active {' '.join(units)}").splitlines()
            enabled = access.output(host, f"systemctl is-enabled {' '.join(units)}").splitlines()
            assert states == ["active"] * len(units)
            assert enabled == ["enabled"] * len(units)
            assert access.output(host, "systemctl list-units --failed --no-legend --plain") == ""
