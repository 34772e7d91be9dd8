"""keepalived on two control-plane hosts: how it runs, and that the address is where an API server is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_VERIFIED = ("--cacert", "/etc/keepalived/kubikk-ca.crt")


def _holders(hosts: dict[str, Host], address: str) -> list[str]:
    """Names of the hosts that have an address."""
    return [name for name, host in hosts.items() if f" {address}/" in host.check_output("ip -4 -oneline address")]


@pytest.fixture
def address(cluster: Description) -> str:
    """The virtual address."""
    return str(cluster.variables["kubikk_api_virtual_address"])


def test_it_runs(host: Host) -> None:
    found = unit(host, "keepalived")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_permissions(host: Host) -> None:
    expected = {"/etc/keepalived/kubikk.conf": "644 root:root", "/etc/keepalived/kubikk-ca.crt": "644 root:root"}
    assert permissions(host, expected) == expected


def test_the_api_answers_at_the_address(host: Host, address: str) -> None:
    assert status(host, f"https://{address}:6443/readyz", *_VERIFIED) == 200


def test_the_address_leaves_a_host_without_api_server(hosts: dict[str, Host], address: str) -> None:
    until(lambda: _holders(hosts, address) == ["cp1"], "the first host has the address, and it alone", within=20)
    hosts["cp1"].check_output("systemctl stop kube-apiserver")
    try:
        until(lambda: _holders(hosts, address) == ["cp2"], "the other host has the address", within=20)
        assert status(hosts["cp1"], f"https://{address}:6443/readyz", *_VERIFIED) == 200
    finally:
        hosts["cp1"].check_output("systemctl start kube-apiserver")
    until(lambda: _holders(hosts, address) == ["cp1"], "the address comes back", within=20)


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(api_load_balancer_router_id="first")
    assert "api_load_balancer_router_id" in output
    assert "cannot be converted to an int" in output
