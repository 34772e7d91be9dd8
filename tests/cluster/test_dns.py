"""Names inside and outside of the cluster."""

from __future__ import annotations

import re
import secrets

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.dns import NO_ERROR, NO_SUCH_NAME, ask
from tests.cluster.support.probes import Probes


def _first_service_address(cluster: Description, api: Api) -> str:
    address: str = api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    return address


def test_two_servers_on_different_nodes(cluster: Description, api: Api) -> None:
    deployment = api.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
    pods = api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
    assert deployment["status"]["readyReplicas"] == 2
    assert len({pod["spec"]["nodeName"] for pod in pods}) == min(2, len(cluster.nodes))


def test_service_name_from_every_host(cluster: Description, access: Access, api: Api) -> None:
    server, domain = cluster.variables["kubikk_dns_address"], cluster.variables["kubikk_dns_domain"]
    for host in cluster.nodes:
        answer = ask(access, host.name, server, f"kubernetes.default.svc.{domain}")
        assert answer is not None, f"no answer on {host.name}"
        assert answer.addresses == {_first_service_address(cluster, api)}


@pytest.mark.parametrize("name", ["kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.{domain}"])
def test_pods_find_names(cluster: Description, probes: Probes, name: str) -> None:
    """Short names need the search list that kubelet writes into pods."""
    complete = name.format(domain=cluster.variables["kubikk_dns_domain"])
    for node in probes.pods:
        assert probes.shell(node, f"/agnhost connect --timeout=5s {complete}:443") == ""


def test_a_name_that_is_not_there(cluster: Description, access: Access, probes: Probes) -> None:
    server, domain = cluster.variables["kubikk_dns_address"], cluster.variables["kubikk_dns_domain"]
    name = f"{secrets.token_hex(4)}.default.svc.{domain}"
    answer = ask(access, cluster.nodes[0].name, server, name)
    assert answer is not None
    assert answer.code == NO_SUCH_NAME
    for node in probes.pods:
        output = probes.shell(node, f"/agnhost connect --timeout=5s {name}:80; true")
        assert output.startswith("DNS:")


def test_outside_names_are_what_the_hosts_own_server_says(
    cluster: Description, access: Access, api: Api, probes: Probes
) -> None:
    """Names come from the hosts' own package sources: whatever network this is, those are meant to be found."""
    pods = api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
    host = str(pods[0]["spec"]["nodeName"])
    upstream = re.findall(r"^nameserver\s+(\d+\.\d+\.\d+\.\d+)", access.output(host, "cat /etc/resolv.conf"), re.M)
    sources = access.output(host, "cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null; true")
    names = sorted({name for name in re.findall(r"https?://([\w.-]+)", sources) if not name[-1].isdigit()})
    answers = {name: ask(access, host, upstream[0], name) for name in names} if upstream else {}
    found = {name: answer for name, answer in answers.items() if answer and answer.addresses}
    if not found:
        pytest.skip("the hosts' name server finds no outside name on this machine, so there is nothing to compare with")
    for name, answer in found.items():
        inside = ask(access, host, cluster.variables["kubikk_dns_address"], name)
        assert inside is not None
        assert inside.code == NO_ERROR
        assert inside.addresses == answer.addresses
        for node in probes.pods:
            # Whether the server behind the name listens is its own affair.
            assert "DNS:" not in probes.shell(node, f"/agnhost connect --timeout=2s {name}:80; true")
