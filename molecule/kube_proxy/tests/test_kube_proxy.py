"""kube-proxy on a node: how it runs, that a Service answers, that damaged rules are made good, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_DIRECTORY = "/etc/kubernetes/kube-proxy"
# The API server's own Service: the first address of the network of Services.
_SERVICE = "https://10.96.0.1/readyz"
_VERIFIED = ("--cacert", f"{_DIRECTORY}/ca.crt")


def test_it_runs(host: Host) -> None:
    found = unit(host, "kube-proxy")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["kube-proxy"]["version"]
    assert host.check_output("kube-proxy --version") == f"Kubernetes v{version.removeprefix('v')}"


def test_permissions(host: Host) -> None:
    expected = {
        _DIRECTORY: "750 root:root",
        f"{_DIRECTORY}/client.key": "600 root:root",
        f"{_DIRECTORY}/config.yaml": "644 root:root",
        f"{_DIRECTORY}/rules-intact": "755 root:root",
    }
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, "kube-proxy") == {"127.0.0.1:10249", "127.0.0.1:10256"}


def test_health(host: Host) -> None:
    assert status(host, "http://127.0.0.1:10256/healthz") == 200


def test_a_service_answers(host: Host) -> None:
    assert status(host, _SERVICE, *_VERIFIED) == 200


def test_damaged_rules_are_made_good(host: Host, converge_with: Callable[..., tuple[int, str]]) -> None:
    host.check_output("iptables --table nat --flush KUBE-SERVICES")
    assert status(host, _SERVICE, *_VERIFIED) == 0
    code, output = converge_with()
    assert code == 0, output
    assert until(lambda: status(host, _SERVICE, *_VERIFIED) == 200, "the Service answers again", within=10)


@pytest.mark.usefixtures("healed")
def test_a_bad_setting_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(kube_proxy_config={"metricsBindAddress": "nowhere"}, kube_proxy_start_timeout=4)
    assert "last lines of its journal" in output
    assert "MetricsBindAddress: Invalid value" in output


def test_an_unknown_mode_is_refused(refused: Callable[..., str]) -> None:
    output = refused(kube_proxy_mode="userspace")
    assert "value of kube_proxy_mode must be one of: iptables, nftables, ipvs, got: userspace" in output
