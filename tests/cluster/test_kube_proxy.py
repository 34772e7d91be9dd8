"""kube-proxy's rules, and that packets take them."""

from __future__ import annotations

import re

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description


def _rules(access: Access, host: str) -> list[str]:
    return access.output(host, "iptables-save -c -t nat").splitlines()


def _packets(rules: list[str], pattern: str) -> int:
    """How many packets took the rules that match."""
    found = [re.match(r"\[(\d+):\d+\] ", rule) for rule in rules if re.search(pattern, rule)]
    assert found, f"no rule matches {pattern}"
    return sum(int(each[1]) for each in found if each)


def test_mode(cluster: Description, access: Access) -> None:
    for host in cluster.nodes:
        mode = access.output(host.name, "curl -sS http://127.0.0.1:10249/proxyMode")
        assert mode == cluster.variables["kubikk_kube_proxy_mode"]


def test_services_are_in_the_nat_table(cluster: Description, access: Access) -> None:
    for host in cluster.nodes:
        rules = "\n".join(_rules(access, host.name))
        for chain in ("PREROUTING", "OUTPUT"):
            assert re.search(rf"^\S+ -A {chain} .*-j KUBE-SERVICES$", rules, re.M), f"{host.name}: {chain}"
        assert re.search(r"^:KUBE-NODEPORTS ", rules, re.M)
        assert re.search(rf"-A KUBE-SERVICES .*-d {cluster.variables['kubikk_dns_address']}/32 .*--dport 53 ", rules)


def test_requests_take_these_rules(cluster: Description, access: Access, api: Api) -> None:
    """The API's own Service, asked from every host; its rule has counted the connections."""
    address = api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    pattern = rf"-A KUBE-SERVICES .*-d {re.escape(address)}/32 .*--dport 443 "
    for host in cluster.nodes:
        before = _packets(_rules(access, host.name), pattern)
        url = f"https://{address}/readyz"
        fetch = f"curl -sS --max-time 5 --cacert /etc/kubernetes/kubelet/ca.crt {url}"
        for _ in range(3):
            assert access.output(host.name, fetch) == "ok"
        assert _packets(_rules(access, host.name), pattern) - before >= 3


def test_every_api_server_stands_behind_the_service(cluster: Description, api: Api) -> None:
    slices = api.items("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")
    addresses = {
        address
        for each in slices
        if each["metadata"]["labels"].get("kubernetes.io/service-name") == "kubernetes"
        for endpoint in each["endpoints"]
        for address in endpoint["addresses"]
    }
    assert addresses == {host.address for host in cluster.control_planes}
