"""Services of every type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.dns import ask
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.probes import HTTP_PORT, Probes, service
from tests.cluster.support.waiting import until

Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def services(cluster: Description, api: Api, kubectl: Kubectl, probes: Probes) -> Iterator[Services]:
    """Services in front of the probes, by name, with endpoints on every node."""
    domain = cluster.variables["kubikk_dns_domain"]
    target = f"plain.{probes.namespace}.svc.{domain}"
    objects = [
        service("plain"),
        service("node-port", type="NodePort"),
        service("headless", clusterIP="None"),
        service("sticky", sessionAffinity="ClientIP"),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "elsewhere"},
            "spec": {"type": "ExternalName", "externalName": target},
        },
    ]
    for each in objects:
        each["metadata"]["namespace"] = probes.namespace
    kubectl.apply(objects)
    path = f"/api/v1/namespaces/{probes.namespace}/services"
    created = {each["metadata"]["name"]: each for each in api.items(path)}

    def programmed() -> bool:
        return all(probes.dial(node, _address(created, "plain"), 80) for node in probes.pods)

    until(programmed, "kube-proxy knows the Services on every node", within=30)
    yield created
    for each in objects:
        api.delete(f"{path}/{each['metadata']['name']}")


def _address(services: Services, name: str) -> str:
    return str(services[name]["spec"]["clusterIP"])


def _names(probes: Probes) -> set[str]:
    return {pod.name for pod in probes.pods.values()}


@pytest.mark.parametrize(("protocol", "port"), [("http", 80), ("udp", 81)])
def test_cluster_ip_from_every_pod(probes: Probes, services: Services, protocol: str, port: int) -> None:
    for node in probes.pods:
        answers = probes.dial(node, _address(services, "plain"), port, protocol=protocol, tries=20)
        assert len(answers) == 20
        assert set(answers) <= _names(probes)
        if protocol == "http" and len(probes.pods) > 1:
            assert len(set(answers)) > 1, "requests are not spread"


def test_cluster_ip_from_every_host(cluster: Description, access: Access, probes: Probes, services: Services) -> None:
    for host in cluster.nodes:
        url = f"http://{_address(services, 'plain')}/hostname"
        assert access.output(host.name, f"curl -sS --max-time 5 {url}") in _names(probes)


def test_node_port_from_outside_at_every_host(cluster: Description, probes: Probes, services: Services) -> None:
    port = next(each["nodePort"] for each in services["node-port"]["spec"]["ports"] if each["name"] == "http")
    # Without keep-alive: every request is a connection of its own, and may end at another pod.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(timeout=5, trust_env=False, limits=limits) as client:
        found = {
            host.name: {client.get(f"http://{host.address}:{port}/hostname").text for _ in range(20)}
            for host in cluster.nodes
        }
    for answers in found.values():
        assert answers <= _names(probes)
        # Also pods of other hosts answer.
        assert len(answers) > 1 or len(probes.pods) == 1


def test_headless_names_every_pod(cluster: Description, access: Access, probes: Probes, services: Services) -> None:
    name = f"headless.{probes.namespace}.svc.{cluster.variables['kubikk_dns_domain']}"
    wanted = {pod.address for pod in probes.pods.values()}

    def complete() -> bool:
        answer = ask(access, cluster.nodes[0].name, cluster.variables["kubikk_dns_address"], name)
        return answer is not None and answer.addresses == wanted

    assert services["headless"]["spec"]["clusterIP"] == "None"
    until(complete, f"{name} has all addresses", within=45)
    for node in probes.pods:
        assert set(probes.dial(node, name, HTTP_PORT)) <= _names(probes)


def test_external_name_leads_elsewhere(
    cluster: Description, access: Access, probes: Probes, services: Services
) -> None:
    domain = cluster.variables["kubikk_dns_domain"]
    name = f"elsewhere.{probes.namespace}.svc.{domain}"
    answer = ask(access, cluster.nodes[0].name, cluster.variables["kubikk_dns_address"], name)
    assert answer is not None
    assert answer.aliases == (f"plain.{probes.namespace}.svc.{domain}",)
    assert answer.addresses == {_address(services, "plain")}
    for node in probes.pods:
        assert set(probes.dial(node, f"elsewhere.{probes.namespace}.svc", 80)) <= _names(probes)


def test_session_affinity(probes: Probes, services: Services) -> None:
    for node in probes.pods:
        assert len(set(probes.dial(node, _address(services, "sticky"), 80, tries=20))) == 1
