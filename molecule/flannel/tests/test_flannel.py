"""flanneld on two nodes: how it runs, that packets travel between them, and bad settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shared.hosts import permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description

_DIRECTORY = "/etc/kubernetes/flannel"


def _address(host: Host) -> str:
    """The host's own address in the pod network."""
    (interface,) = json.loads(host.check_output("ip -json address show flannel.1"))
    (address,) = [entry["local"] for entry in interface["addr_info"] if entry["family"] == "inet"]
    return str(address)


def test_it_runs(host: Host) -> None:
    found = unit(host, "flanneld")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["flannel"]["version"]
    assert host.check_output("readlink /usr/local/bin/flanneld") == f"/opt/kubikk/flannel/{version}/flanneld"


def test_permissions(host: Host) -> None:
    expected = {
        _DIRECTORY: "750 root:root",
        f"{_DIRECTORY}/client.key": "600 root:root",
        f"{_DIRECTORY}/net-conf.json": "644 root:root",
        "/etc/cni/net.d/10-flannel.conflist": "644 root:root",
    }
    assert permissions(host, expected) == expected


def test_pods_get_addresses_of_their_node(host: Host, api: Api) -> None:
    name = host.ansible.get_variables()["inventory_hostname"]
    part = api.get(f"/api/v1/nodes/{name}")["spec"]["podCIDR"]
    configuration: dict[str, Any] = json.loads(host.check_output("cat /etc/cni/net.d/10-flannel.conflist"))
    bridge = configuration["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": part}]]
    # What the encapsulation takes is left free.
    assert bridge["mtu"] == int(host.check_output("cat /sys/class/net/host0/mtu")) - 50


def test_packets_travel_between_hosts(hosts: dict[str, Host]) -> None:
    """The other host's kubelet answers at its address in the pod network, if only that it knows nobody here."""
    for source, destination in ((hosts["cp1"], hosts["w1"]), (hosts["w1"], hosts["cp1"])):
        assert status(source, f"https://{_address(destination)}:10250/pods") == 401


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(flannel_flags={"iface": "192.0.2.1"}, flannel_start_timeout=4)
    assert "last lines of its journal" in output
    assert "Could not find valid interface matching 192.0.2.1" in output


def test_an_unknown_backend_is_refused(refused: Callable[..., str]) -> None:
    assert "value of flannel_backend must be one of: vxlan, host-gw" in refused(flannel_backend="udp")
