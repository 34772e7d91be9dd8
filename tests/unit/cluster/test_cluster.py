"""Defaults, and what follows from what the file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster, JumpHost

Load = Callable[[str], Cluster]

ONE = "hosts: [{name: a, address: 192.168.1.1, roles: [control-plane]}]\n"


def test_everything_but_hosts_has_a_default(loaded: Load) -> None:
    cluster = loaded(ONE)
    assert cluster.name == "cluster"
    assert (cluster.kubernetes.version, cluster.kubernetes.number, cluster.kubernetes.minor) == (
        "v1.37.2",
        "1.37.2",
        "1.37",
    )
    assert cluster.artifacts.source == "upstream"
    assert cluster.addons.coredns
    assert cluster.components.as_written() == {}
    assert (cluster.dns_address, cluster.first_service_address) == ("10.96.0.10", "10.96.0.1")
    assert cluster.api_endpoint_url == "https://127.0.0.1:6443"
    assert cluster.archs == ("amd64",)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["control-plane"], {"etcd": "a", "control_plane": "a", "worker": "", "cluster": "a"}),
        (["control-plane, worker"], {"etcd": "a", "control_plane": "a", "worker": "a", "cluster": "a"}),
        (["worker", "control-plane"], {"etcd": "b", "control_plane": "b", "worker": "a", "cluster": "ab"}),
        (["etcd", "control-plane", "worker"], {"etcd": "a", "control_plane": "b", "worker": "c", "cluster": "bc"}),
        (["control-plane, etcd", "control-plane"], {"etcd": "a", "control_plane": "ab", "worker": "", "cluster": "ab"}),
    ],
)
def test_groups(roles: list[str], expected: dict[str, str], loaded: Load) -> None:
    hosts = "".join(
        f"  - {{name: {name}, address: 192.168.1.{ord(name)}, roles: [{given}]}}\n"
        for name, given in zip("abc", roles, strict=False)
    )
    cluster = loaded(f"hosts:\n{hosts}")
    found = {
        "etcd": cluster.etcd_hosts,
        "control_plane": cluster.control_plane_hosts,
        "worker": cluster.worker_hosts,
        "cluster": cluster.cluster_hosts,
    }
    assert {group: "".join(host.name for host in members) for group, members in found.items()} == expected


def test_certificate_names(loaded: Load) -> None:
    cluster = loaded(
        f"{ONE}network: {{dns_domain: k8s.example.com, service_cidr: 172.20.0.0/16}}\n"
        "api: {load_balancer: external, endpoint: api.example.com, port: 8443, extra_sans: [10.9.9.9, a.example.com]}\n"
    )
    names, addresses = cluster.api_certificate_names(cluster.hosts[0])
    service = "kubernetes.default"
    assert set(names) == {
        *("kubernetes", service, f"{service}.svc", f"{service}.svc.k8s.example.com"),
        *("localhost", "a", "a.example.com", "api.example.com"),
    }
    assert set(addresses) == {"127.0.0.1", "::1", "192.168.1.1", "172.20.0.1", "10.9.9.9"}
    assert cluster.api_endpoint_url == "https://api.example.com:8443"


def test_ssh_defaults(loaded: Load) -> None:
    cluster = loaded(ONE)
    connection = cluster.connection(cluster.hosts[0])
    assert (connection.host, connection.port, connection.user) == ("192.168.1.1", 22, "root")
    assert (connection.key, connection.known_hosts, connection.jump, connection.become) == (None, None, None, False)


def test_ssh_of_one_host(home: Path, tmp_path: Path, loaded: Load) -> None:
    (home / "common").touch()
    (tmp_path / "own").touch()
    cluster = loaded(
        "ssh: {user: ubuntu, key: ~/common, known_hosts: ~/hosts, jump: 'me@bastion:2222'}\n"
        "hosts:\n"
        "  - {name: a, address: 192.168.1.1, roles: [control-plane]}\n"
        "  - {name: b, address: 192.168.1.2, roles: [worker], ssh: {host: b.example, key: own, jump: null, port: 24}}\n"
        "  - {name: c, address: 192.168.1.3, roles: [worker], ssh: {user: root, key: null, become: true}}\n"
    )
    a, b, c = (cluster.connection(host) for host in cluster.hosts)
    assert (a.key, a.known_hosts, a.jump, a.become) == (
        home / "common",
        home / "hosts",
        JumpHost("bastion", "me", 2222),
        True,
    )
    assert (b.host, b.port, b.key, b.jump, b.become) == ("b.example", 24, tmp_path / "own", None, True)
    assert (c.user, c.key, c.become) == ("root", None, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bastion", JumpHost("bastion")),
        ("me@10.0.0.1", JumpHost("10.0.0.1", "me")),
        ("me@[fd00::1]:2222", JumpHost("fd00::1", "me", 2222)),
    ],
)
def test_jump_hosts(text: str, expected: JumpHost, loaded: Load) -> None:
    cluster = loaded(f"{ONE}ssh: {{jump: '{text}'}}\n")
    assert cluster.connection(cluster.hosts[0]).jump == expected


def test_mirror_is_relative_to_the_file(tmp_path: Path, loaded: Load) -> None:
    (tmp_path / "mirror").mkdir()
    assert loaded(f"{ONE}artifacts: {{source: mirror, mirror: mirror}}\n").artifacts.mirror == str(tmp_path / "mirror")


def test_components_are_kept_as_written(loaded: Load) -> None:
    cluster = loaded(
        f"{ONE}components:\n"
        "  kube-apiserver: {flags: {v: 2, profiling: null, feature-gates: [A=true, B=false]}}\n"
        "  kubelet: {config: {failSwapOn: false, on: 1}}\n"
    )
    assert cluster.components.as_written() == {
        "kube-apiserver": {"flags": {"v": 2, "profiling": None, "feature-gates": ["A=true", "B=false"]}},
        "kubelet": {"config": {"failSwapOn": False, "on": 1}},
    }


def test_anchors_and_merge_keys(loaded: Load) -> None:
    cluster = loaded(
        "hosts:\n"
        "  - &a {name: a, address: 192.168.1.1, roles: [control-plane], labels: {x: y}}\n"
        "  - {<<: *a, name: b, address: 192.168.1.2, roles: [worker]}\n"
    )
    assert cluster.hosts[1].name == "b"
    assert cluster.hosts[1].labels == {"x": "y"}
