"""IPv4 and IPv6: nodes, pods and Services have addresses of both, are reached by both, and leave nothing of either."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Network, ip_address, ip_network
from typing import Any

import pytest

from kubikk.lab.network import ipv6_address
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.images import import_agnhost
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.probes import HTTP_PORT, Pod, Probes, daemon_set, service
from tests.cluster.support.runs import changes, kubikk, runs
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

_PODS, _SERVICES = "fd00:10:244::/56", "fd00:10:96::/112"


def _dual_stack(content: dict[str, Any]) -> None:
    content["network"] = {"ipv6": {}}
    for host in content["hosts"]:
        host["ipv6_address"] = str(ipv6_address(IPv4Address(host["address"])))


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A small cluster."""
    with own_lab(f"{lab_name}-dual", tmp_path_factory.mktemp("dual"), control_planes=1, workers=1) as own:
        own.edit(_dual_stack)
        first = kubikk("up", "-f", str(own.file))
        assert first.returncode == 0, first.stdout
        yield own


@pytest.fixture(scope="module")
def pods(own_cluster: Description, own_hosts: Access, own_api: Api) -> list[dict[str, Any]]:
    """A pod on every node, and Services in front of them."""
    kubectl = Kubectl(own_cluster.program("kubectl"), own_cluster.kubeconfig)
    both = service("both", ipFamilyPolicy="RequireDualStack", type="NodePort")
    kubectl.apply([*daemon_set(import_agnhost(own_cluster, own_hosts)), both])
    kubectl.run("rollout", "status", "daemonset/probe", "--timeout=120s", timeout=130)
    return own_api.items("/api/v1/namespaces/default/pods", labelSelector="app=probe")


@pytest.fixture(scope="module")
def dials(own_api: Api, pods: list[dict[str, Any]]) -> Probes:
    """Questions from pod to pod."""
    by_node = [Pod(pod["metadata"]["name"], pod["status"]["podIP"], pod["spec"]["nodeName"]) for pod in pods]
    return Probes(own_api, "default", {pod.node: pod for pod in by_node})


def _ipv6_of(pod: dict[str, Any]) -> str:
    return next(str(entry["ip"]) for entry in pod["status"]["podIPs"] if ip_address(entry["ip"]).version != 4)


def _answered_by(everybody: set[str], dials: Probes, node: str, address: str) -> None:
    """All pods answer a node's at a Service's address: each node knows of a new one a moment after it is ready."""

    def all_answer() -> bool:
        return set(dials.dial(node, address, 80, tries=20)) == everybody

    until(all_answer, f"all pods answer {node} at {address}", within=20)


def test_nodes_have_both(own_api: Api, own_cluster: Description) -> None:
    wanted = {host.name: host.variables["kubikk_host"] for host in own_cluster.nodes}
    for node in own_api.items("/api/v1/nodes"):
        own = wanted[node["metadata"]["name"]]
        addresses = [entry["address"] for entry in node["status"]["addresses"] if entry["type"] == "InternalIP"]
        assert addresses == [own["address"], own["ipv6_address"]]
        first, second = node["spec"]["podCIDRs"]
        assert ip_network(first).version == 4
        assert IPv6Network(second).subnet_of(IPv6Network(_PODS))


def test_pods_reach_each_other_by_ipv6(pods: list[dict[str, Any]], dials: Probes) -> None:
    names = {pod["spec"]["nodeName"]: pod["metadata"]["name"] for pod in pods}
    assert len(names) == 2
    for pod in pods:
        address = _ipv6_of(pod)
        assert ip_address(address) in ip_network(_PODS)
        for origin in names:
            assert dials.dial(origin, address, HTTP_PORT) == [pod["metadata"]["name"]]


def test_a_service_answers_at_both_addresses(
    own: OwnLab, own_api: Api, pods: list[dict[str, Any]], dials: Probes
) -> None:
    spec = own_api.get("/api/v1/namespaces/default/services/both")["spec"]
    first, second = spec["clusterIPs"]
    assert ip_address(second) in ip_network(_SERVICES)
    port = next(entry["nodePort"] for entry in spec["ports"] if entry["name"] == "http")
    everybody = {pod["metadata"]["name"] for pod in pods}
    for pod in pods:
        for address in (first, second):
            _answered_by(everybody, dials, pod["spec"]["nodeName"], address)
    for host in own.lab.hosts():
        for address in (first, f"[{second}]"):
            asked = f"curl -sS --globoff --retry 5 --retry-connrefused --max-time 5 http://{address}/hostname"
            assert own.run(host.name, asked) in everybody
        reached = f"http://[{ipv6_address(IPv4Address(host.address))}]:{port}/hostname"
        for origin in own.lab.hosts():
            assert own.run(origin.name, f"curl -sS --globoff --max-time 5 {reached}") in everybody


def test_nothing_to_do_and_rules_that_come_back(own: OwnLab, pods: list[dict[str, Any]]) -> None:
    assert pods
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []
    own.run("w1", "ip6tables -t nat -F KUBE-SERVICES")
    seen = kubikk("plan", "-f", str(own.file))
    assert seen.returncode == 2, seen.stdout
    assert "the ip6tables chain KUBE-SERVICES is empty" in " ".join(seen.stdout.split())
    mended = kubikk("up", "-f", str(own.file))
    assert mended.returncode == 0, mended.stdout
    assert own.run("w1", "ip6tables -t nat -S KUBE-SERVICES").count("-A ")


def test_reset_leaves_nothing_of_either(own: OwnLab) -> None:
    done = kubikk("reset", "--yes", "-f", str(own.file))
    assert done.returncode == 0, done.stdout
    for host in own.lab.hosts():
        for program in ("iptables-save", "ip6tables-save"):
            assert own.run(host.name, f"{program} | grep -E 'KUBE-|FLANNEL-|CNI-' || true") == ""
        links = own.run(host.name, "ip -brief link")
        assert "flannel" not in links
        assert "cni0" not in links
