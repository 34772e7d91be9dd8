"""Where components and operators reach the API."""

from __future__ import annotations

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.kubectl import Kubectl

_FETCH = "curl -sS --max-time 5 --cacert /etc/kubernetes/kubelet/ca.crt {url}/readyz"


def test_the_endpoint_answers_on_every_node(cluster: Description, access: Access) -> None:
    url = cluster.variables["kubikk_api_endpoint"]
    for host in cluster.nodes:
        assert access.output(host.name, _FETCH.format(url=url)) == "ok"


def test_every_api_server_answers_on_every_node(cluster: Description, access: Access) -> None:
    for host in cluster.nodes:
        for server in cluster.control_planes:
            assert access.output(host.name, _FETCH.format(url=cluster.api_server(server))) == "ok"


def test_load_balancers_keep_to_loopback(cluster: Description, access: Access) -> None:
    if cluster.variables["kubikk_api_load_balancer"] != "local":
        return
    for host in cluster.workers:
        listeners = access.output(host.name, f"ss -ltnH 'sport = :{cluster.api_port}'").splitlines()
        assert {line.split()[3] for line in listeners} == {f"127.0.0.1:{cluster.api_port}"}


def test_every_context_of_the_kubeconfig_works(kubectl: Kubectl) -> None:
    contexts = kubectl.run("config", "get-contexts", "--output=name").split()
    assert contexts
    for context in contexts:
        assert kubectl.run("--context", context, "get", "--raw", "/readyz") == "ok"
