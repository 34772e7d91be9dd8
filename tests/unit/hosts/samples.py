"""Clusters and hosts that nothing is wrong with, for tests to change one thing of."""

from __future__ import annotations

from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.hosts.checks.view import View
from kubikk.hosts.facts import HostFacts, read_facts
from kubikk.hosts.probes import FLANNEL

GIB = 1 << 30

HOSTS = [
    {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
    {"name": "cp2", "address": "10.0.0.12", "roles": ["control-plane"]},
    {"name": "cp3", "address": "10.0.0.13", "roles": ["control-plane"]},
    {"name": "w1", "address": "10.0.0.21", "roles": ["worker"]},
    {"name": "w2", "address": "10.0.0.22", "roles": ["worker"]},
]


def make_cluster(**changes: Any) -> Cluster:
    """Three control-plane hosts and two workers."""
    return Cluster.model_validate({"name": "prod", "hosts": HOSTS, **changes})


def host(cluster: Cluster, name: str) -> Host:
    """A host by its name."""
    return next(entry for entry in cluster.hosts if entry.name == name)


def make_facts(address: str, **changes: Any) -> HostFacts:
    """A bare Debian 12."""
    data: dict[str, Any] = {
        "root": True,
        "python": "3.11.2",
        "arch": "x86_64",
        "kernel": "6.1.0-13-amd64",
        "hostname": f"host-{address}",
        "machine_id": f"id-{address}",
        "os": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"},
        "init": "systemd",
        "systemd": 252,
        "cgroup": {"version": 2, "controllers": ["cpuset", "cpu", "io", "memory", "pids"]},
        "features": dict.fromkeys(
            (
                *("overlay", "br_netfilter", "nf_conntrack", "vxlan", "bridge", "veth", "iptables"),
                *("nf_tables", "ip_vs", "dummy"),
            ),
            True,
        ),
        "cpus": 2,
        "memory": 4 * GIB,
        "swap": 0,
        "disks": [
            {"path": "/var/lib", "device": 1, "size": 100 * GIB, "free": 50 * GIB},
            {"path": "/opt", "device": 1, "size": 100 * GIB, "free": 50 * GIB},
        ],
        "addresses": ["127.0.0.1", address],
        "default_route": True,
        "listeners": [],
        "units": {},
        "vxlan": [],
        "kubikk_units": [],
        "listed": {},
        "present": [],
        "selinux": "",
        "ufw": False,
    }
    return read_facts({**data, **changes}, "sample")


def converged(address: str, *, control_plane: bool) -> HostFacts:
    """A host that Kubikk has set up, with everything running."""
    units = ["containerd", "flanneld", "kube-proxy", "kubelet"]
    ports = {"kubelet": [10248, 10250], "kube-proxy": [10249, 10256]}
    if control_plane:
        units += ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        ports |= {"etcd": [2379, 2380], "kube-apiserver": [6443]}
        ports |= {"kube-controller-manager": [10257], "kube-scheduler": [10259]}
    else:
        units.append("haproxy")
        ports |= {"haproxy": [6443]}
    programs = {unit: f"/opt/kubikk/{unit}/1.37.2/{unit}" for unit in units} | {"haproxy": "/usr/sbin/haproxy"}
    listeners = [
        {"protocol": "tcp", "port": port, "program": unit[:15], "executable": programs[unit], "unit": f"{unit}.service"}
        for unit, numbers in ports.items()
        for port in numbers
    ]
    return make_facts(
        address,
        listeners=[*listeners, {"protocol": "udp", "port": 8472}],
        units={unit: {"active": "active", "executable": programs[unit]} for unit in units},
        vxlan=[{"name": "flannel.1", "port": 8472}],
        kubikk_units=units,
        listed={"/etc/cni/net.d": ["10-flannel.conflist", "99-loopback.conf"], "/var/lib/etcd": ["member"]},
        present=["/etc/kubernetes/admin.conf", FLANNEL] + ([] if control_plane else ["/etc/haproxy/kubikk.cfg"]),
        disks=[
            {"path": "/var/lib", "device": 1, "size": 10 * GIB, "free": 3 * GIB},
            {"path": "/opt", "device": 1, "size": 10 * GIB, "free": 3 * GIB},
        ],
    )


def make_view(name: str = "cp1", cluster: Cluster | None = None, **changes: Any) -> View:
    """One host of the sample cluster; ``clock`` and ``clock_error`` are the view's, the rest are facts."""
    cluster = cluster or make_cluster()
    clock = {key: changes.pop(key) for key in ("clock", "clock_error") if key in changes}
    its = host(cluster, name)
    return View(cluster, its, make_facts(its.address, **changes), **clock)
