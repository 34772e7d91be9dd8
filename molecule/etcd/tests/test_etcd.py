"""Three members of etcd: how they run, who gets in, and that bad settings never cost the quorum."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, unit
from testinfra.host import Host
from tests.cluster.support.description import Description

_ETCDCTL = (
    "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt "
    "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key "
)


def test_it_runs(host: Host) -> None:
    found = unit(host, "etcd")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "etcd")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["etcd"]["version"]
    assert host.check_output("etcd --version").splitlines()[0] == f"etcd Version: {version}"
    assert host.check_output("readlink /usr/local/bin/etcd") == f"/opt/kubikk/etcd/{version}/etcd"


def test_permissions(host: Host) -> None:
    expected = {
        "/etc/etcd/pki": "700 etcd:etcd",
        "/etc/etcd/pki/server.key": "600 etcd:etcd",
        "/etc/etcd/pki/peer.key": "600 etcd:etcd",
        "/etc/etcd/pki/healthcheck.key": "600 etcd:etcd",
        "/etc/etcd/pki/ca.crt": "644 etcd:etcd",
        "/etc/systemd/system/etcd.service": "644 root:root",
        "/var/lib/etcd": "700 etcd:etcd",
    }
    assert permissions(host, expected) == expected


def test_all_members_are_healthy(host: Host, cluster: Description) -> None:
    states = json.loads(host.check_output(_ETCDCTL + "endpoint health --cluster --write-out=json"))
    assert {state["endpoint"]: state["health"] for state in states} == {
        f"https://{member.address}:2379": True for member in cluster.etcd_hosts
    }


def test_nobody_gets_in_without_a_certificate(host: Host) -> None:
    answer = host.run("curl --silent --show-error --cacert /etc/etcd/pki/ca.crt https://127.0.0.1:2379/health")
    # Connected, and then cut off: in the handshake, or in TLS 1.3 at the first bytes sent or received.
    assert answer.rc in (35, 55, 56), answer.stderr
    assert answer.stdout == ""


def test_sockets(hosts: dict[str, Host], cluster: Description) -> None:
    for member in cluster.etcd_hosts:
        own = {f"{member.address}:2379", f"{member.address}:2380", "127.0.0.1:2379"}
        assert listening(hosts[member.name], "etcd") == own


def test_what_one_member_is_told_another_knows(hosts: dict[str, Host]) -> None:
    first, *_, last = hosts.values()
    first.check_output(_ETCDCTL + "put molecule kept")
    assert last.check_output(_ETCDCTL + "get molecule --print-value-only") == "kept"


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_stops_one_member_and_keeps_the_quorum(hosts: dict[str, Host], refused: Callable[..., str]) -> None:
    """The others are not restarted while one is down, though their units are written already."""
    before = {name: unit(host, "etcd").invocation for name, host in hosts.items()}
    hosts["cp1"].check_output(_ETCDCTL + "put molecule kept")
    output = refused(etcd_flags={"no-such-flag": "x"}, etcd_start_timeout=4, etcd_gate_timeout=1)
    assert "last lines of its journal" in output
    assert "flag provided but not defined: -no-such-flag" in output
    untouched = [name for name, host in hosts.items() if unit(host, "etcd").invocation == before[name]]
    assert len(untouched) == 2
    assert hosts[untouched[0]].check_output(_ETCDCTL + "get molecule --print-value-only") == "kept"


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(etcd_start_timeout="soon")
    assert "etcd_start_timeout" in output
    assert "cannot be converted to an int" in output
