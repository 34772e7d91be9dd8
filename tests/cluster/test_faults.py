"""Control-plane hosts lose their power, one after the other."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from kubikk.lab import Lab
from kubikk.progress import Silent
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.description import ClusterHost, Description
from tests.cluster.support.dns import ask
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.probes import netexec, service
from tests.cluster.support.waiting import lasting, until

# What leases and health checks take at most: haproxy notices after 2 s, etcd elects a leader within 2 s.
_API_PATIENCE = 15.0
# The API's own Service loses the dead server's endpoint when its lease has run out (15 s) and was looked at (10 s).
_SERVICE_PATIENCE = 45.0
_STEADY = 15.0
# A node counts as lost 50 s after its last word; only then DNS servers on it are no longer asked.
_DNS_PATIENCE = 90.0
_HEAL_PATIENCE = 120.0


@pytest.fixture(scope="module")
def lab(cluster: Description) -> Lab:
    """The lab of the cluster's hosts."""
    lab = Lab(cluster.name, Silent())
    known = {host.name for host in lab.hosts()}
    assert set(cluster.hosts) <= known, f"there is no lab {cluster.name} on this machine that has the cluster's hosts"
    return lab


@pytest.fixture(scope="module")
def backend(cluster: Description, kubectl: Kubectl, api: Api, namespace: str, image: str) -> Iterator[str]:
    """Address of a Service with two pods on workers."""
    labels = {"app": "backend"}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "topologySpreadConstraints": [spread],
            "containers": [netexec(image)],
        },
    }
    deployment: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "backend", "namespace": namespace},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
    }
    front = service("backend", labels)
    front["metadata"]["namespace"] = namespace
    kubectl.apply([deployment, front])
    kubectl.run("rollout", "status", "--namespace", namespace, "deployment/backend", "--timeout=120s", timeout=130)
    yield str(api.get(f"/api/v1/namespaces/{namespace}/services/backend")["spec"]["clusterIP"])


def _answers(access: Access, host: ClusterHost, url: str) -> bool:
    """Whether a URL answers on a host, the API's certificate checked."""
    fetch = f"curl -sS --fail --max-time 3 --cacert /etc/kubernetes/kubelet/ca.crt -o /dev/null {url}"
    return access.succeeds(host.name, fetch)


def _writable(api: Api, namespace: str) -> bool:
    """Whether the API takes a change: etcd has a majority."""
    name = f"written-{secrets.token_hex(4)}"
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    api.delete(f"{path}/{name}")
    return True


def _ready_nodes(api: Api) -> set[str]:
    return {
        node["metadata"]["name"]
        for node in api.items("/api/v1/nodes")
        if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
    }


def _members_healthy(cluster: Description, access: Access, host: ClusterHost) -> bool:
    endpoints = ",".join(cluster.variables["kubikk_etcd_endpoints"])
    pair = "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key"
    command = f"etcdctl --endpoints={endpoints} --cacert=/etc/etcd/pki/ca.crt {pair} endpoint health -w json"
    states = json.loads(access.output(host.name, command))
    return len(states) == len(cluster.etcd_hosts) and all(state["health"] for state in states)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_control_plane_host_without_power(
    number: int, *, cluster: Description, lab: Lab, access: Access, backend: str, namespace: str
) -> None:
    if len(cluster.control_planes) < 3:
        pytest.fail("a cluster with fewer than three control-plane hosts does not survive the loss of one")
    dead = cluster.control_planes[number]
    alive = [host for host in cluster.nodes if host != dead]
    servers = [host for host in cluster.control_planes if host != dead]
    api = administrator(cluster.api_server(servers[0]), cluster.pki)
    endpoint = cluster.variables["kubikk_api_endpoint"]
    own = api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    lab.power_off(dead.name)
    try:
        access.forget([dead.name])
        for what, within, check in (
            (
                "the API endpoint and a Service answer on every other host",
                _API_PATIENCE,
                lambda: all(
                    _answers(access, host, f"{endpoint}/readyz")
                    and _answers(access, host, f"http://{backend}/hostname")
                    for host in alive
                ),
            ),
            ("the API takes changes", _API_PATIENCE, lambda: _writable(api, namespace)),
            (
                "the API's own Service answers on every other host",
                _SERVICE_PATIENCE,
                lambda: all(_answers(access, host, f"https://{own}/readyz") for host in alive),
            ),
        ):
            seconds = lasting(check, what, within=within, seconds=_STEADY)
            print(f"{dead.name} off: {what}: after {seconds:.1f} s")
    finally:
        lab.power_on(dead.name)
    until(lambda: _ready_nodes(api) == {host.name for host in cluster.nodes}, "all Ready", within=_HEAL_PATIENCE)
    until(lambda: _members_healthy(cluster, access, dead), "all members healthy", within=_HEAL_PATIENCE)
    healed = cluster.api_server(dead)
    until(lambda: all(_answers(access, host, f"{healed}/readyz") for host in cluster.nodes), "healed", within=60)
    assert access.output(dead.name, "systemctl list-units --failed --no-legend --plain") == ""


def test_names_are_found_while_a_dns_server_s_host_is_off(
    cluster: Description, lab: Lab, api: Api, access: Access
) -> None:
    pods = api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
    dead = cluster.hosts[str(pods[0]["spec"]["nodeName"])]
    observer = next(host for host in cluster.nodes if host not in (dead, cluster.control_planes[0]))
    if dead == cluster.control_planes[0]:
        dead = cluster.hosts[str(pods[1]["spec"]["nodeName"])]
    name = f"kubernetes.default.svc.{cluster.variables['kubikk_dns_domain']}"
    server = cluster.variables["kubikk_dns_address"]
    lab.power_off(dead.name)
    try:
        access.forget([dead.name])
        found = lasting(
            lambda: ask(access, observer.name, server, name), "names are found", within=_DNS_PATIENCE, seconds=_STEADY
        )
        print(f"{dead.name} off: names are found for good after {found:.1f} s")
    finally:
        lab.power_on(dead.name)
    until(lambda: _ready_nodes(api) == {host.name for host in cluster.nodes}, "all Ready", within=_HEAL_PATIENCE)
