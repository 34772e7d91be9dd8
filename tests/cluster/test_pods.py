"""Pods on every node, and packets between them."""

from __future__ import annotations

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.probes import HTTP_PORT, UDP_PORT, Probes


def test_a_pod_runs_on_every_node(cluster: Description, probes: Probes) -> None:
    assert sorted(probes.pods) == sorted(host.name for host in cluster.nodes)


@pytest.mark.parametrize(("protocol", "port"), [("http", HTTP_PORT), ("udp", UDP_PORT)])
def test_pods_reach_each_other(probes: Probes, protocol: str, port: int) -> None:
    for source in probes.pods:
        for target in probes.pods.values():
            assert probes.dial(source, target.address, port, protocol=protocol) == [target.name]


def test_packets_as_large_as_the_network_takes(probes: Probes) -> None:
    """A wrong MTU lets small packets through and loses large ones."""
    size = 100_000
    for source in probes.pods:
        for target in probes.pods.values():
            # A command line holds 128 KiB in one argument; the answer is as long as the question.
            url = f"'http://{target.address}:{HTTP_PORT}/echo?msg='$(head -c {size} /dev/zero | tr '\\0' x)"
            assert int(probes.shell(source, f"wget -qO- {url} | wc -c")) == size


def test_a_source_address_inside_the_pod_network_is_kept(probes: Probes) -> None:
    """Between pods nothing is translated, else network policies and logs would see the wrong address."""
    for source in probes.pods.values():
        for target in probes.pods.values():
            fetch = f"wget -qO- http://{target.address}:{HTTP_PORT}/clientip"
            assert probes.shell(source.node, fetch).rsplit(":", 1)[0] == source.address


def test_hosts_reach_pods(cluster: Description, access: Access, probes: Probes) -> None:
    for host in cluster.nodes:
        for pod in probes.pods.values():
            answer = access.output(host.name, f"curl -sS --max-time 5 http://{pod.address}:{HTTP_PORT}/hostname")
            assert answer == pod.name


def test_pods_reach_beyond_the_cluster(cluster: Description, access: Access, probes: Probes) -> None:
    """Their packets are masqueraded: a host's sshd, seen from a pod of another host, answers."""
    for source in probes.pods:
        target = next(host for host in cluster.nodes if host.name != source)
        assert probes.shell(source, f"nc -w 5 {target.address} 22 </dev/null").startswith("SSH-2.0")
