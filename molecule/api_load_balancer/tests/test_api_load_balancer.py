"""haproxy on a worker: how it runs, that the API answers through it, and bad settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host

testinfra_hosts = ["ansible://kube_node"]

_VERIFIED = ("--cacert", "/etc/haproxy/kubikk-ca.crt")


def test_it_runs(host: Host) -> None:
    found = unit(host, "haproxy")
    assert (found.active, found.enabled) == ("active", "enabled")


def test_a_control_plane_host_needs_none(hosts: dict[str, Host]) -> None:
    assert unit(hosts["cp1"], "haproxy").active == "inactive"
    assert not hosts["cp1"].file("/etc/haproxy/kubikk.cfg").exists


def test_permissions(host: Host) -> None:
    expected = {"/etc/haproxy/kubikk.cfg": "644 root:root", "/etc/haproxy/kubikk-ca.crt": "644 root:root"}
    assert permissions(host, expected) == expected


def test_it_serves_its_own_host_only(host: Host) -> None:
    assert listening(host, "haproxy") == {"127.0.0.1:6443"}


def test_the_api_answers_through_it(host: Host) -> None:
    assert status(host, "https://127.0.0.1:6443/readyz", *_VERIFIED) == 200


@pytest.mark.usefixtures("healed")
def test_a_server_that_does_not_answer_is_told(refused: Callable[..., str]) -> None:
    output = refused(api_load_balancer_servers={"cp1": "127.0.0.2"}, api_load_balancer_start_timeout=4)
    assert "last lines of its journal" in output
    assert "kube-apiserver/cp1 is DOWN" in output


def test_an_unknown_kind_is_refused(refused: Callable[..., str]) -> None:
    output = refused(api_load_balancer_kind="nginx")
    assert "value of api_load_balancer_kind must be one of: local, external, keepalived, got: nginx" in output


@pytest.fixture
def unmet(host: Host) -> Iterator[None]:
    """Somebody's drop-in with a condition that is not met; the unit is stopped, so that it has to be started."""
    dropin = "/etc/systemd/system/haproxy.service.d/somebody.conf"
    host.run_expect([0], f"printf '[Unit]\\nConditionPathExists=/nowhere\\n' > {dropin}")
    host.run_expect([0], "systemctl daemon-reload && systemctl stop haproxy")
    yield
    host.run_expect([0], f"rm {dropin} && systemctl daemon-reload")


@pytest.mark.usefixtures("healed", "unmet")
def test_a_condition_that_keeps_it_from_starting_is_told(refused: Callable[..., str]) -> None:
    output = refused()
    assert "it was not started: a condition of its unit is not met" in output
    assert "ConditionPathExists=/nowhere" in output
