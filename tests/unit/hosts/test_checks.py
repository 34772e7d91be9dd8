"""Every check, as facts and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from kubikk.cluster import Cluster
from kubikk.errors import KubikkError
from kubikk.hosts.checks import CHECKS, CONNECTION, examine
from kubikk.hosts.findings import Finding
from kubikk.hosts.layout import Port
from kubikk.hosts.probes import FLANNEL, HostProbe
from kubikk.hosts.reachability import Attempt

from .samples import GIB, converged, make_cluster, make_facts, make_view

BY_NAME = {check.name: check for check in CHECKS}
MIB = 1 << 20


def system(name: str, version: str) -> dict[str, Any]:
    return {"os": {"id": name, "version": version, "name": f"{name} {version}"}}


def features(**changes: bool) -> dict[str, Any]:
    return {"features": {**make_facts("10.0.0.1").features, **changes}}


def disks(*rows: tuple[str, int, int]) -> dict[str, Any]:
    return {"disks": [{"path": path, "device": device, "size": 100 * GIB, "free": free} for path, device, free in rows]}


def listener(port: int, program: str, executable: str = "", unit: str = "", protocol: str = "tcp") -> dict[str, Any]:
    row = {"protocol": protocol, "port": port, "program": program, "executable": executable, "unit": unit}
    return {"listeners": [row]}


def service(name: str, executable: str, active: str = "active") -> dict[str, Any]:
    return {"units": {name: {"active": active, "executable": executable}}}


OURS = {"kubikk_units": ["kubelet"]}
SWAP_FAILS = {"components": {"kubelet": {"config": {"failSwapOn": True}}}}
HOST_GW = {"network": {"backend": "host-gw"}}
NFTABLES = {"kube_proxy": {"mode": "nftables"}}
IPVS = {"kube_proxy": {"mode": "ipvs"}}
DUAL_STACK: dict[str, Any] = {"network": {"ipv6": {}}}
MADE_WITH = {"pods": "10.244.0.0/16", "services": "10.96.0.0/12"}
NO_PLUGIN = {"network": {"plugin": "none"}}
DOCKER = {"runtime": "docker"}
OUR_DOCKER = {"present": [f"/etc/systemd/system/{unit}.service.d/kubikk.conf" for unit in ("containerd", "docker")]}

# check, host, facts, cluster file, expected: "level part of the message" for each finding
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    *((check, name, {}, {}, []) for check in BY_NAME for name in ("cp1", "w1")),
    ("os", "w1", system("debian", "11"), {}, []),
    ("versions", "w1", service("kubelet", "/opt/kubikk/kubelet/1.37.2/kubelet"), {}, []),
    ("versions", "w1", service("kubelet", "/usr/bin/kubelet"), {}, []),
    ("versions", "w1", service("kubelet", "/opt/kubikk/kubelet/1.36.3/kubelet"), {}, ["error kubelet 1.36.3 runs"]),
    ("versions", "cp1", service("kube-proxy", "/opt/kubikk/kube-proxy/1.38.0/kube-proxy"), {}, ["error kube-proxy"]),
    ("os", "w1", system("debian", "10"), {}, ["error debian 10 is too old"]),
    ("os", "w1", system("debian", ""), {}, []),
    ("os", "w1", system("ubuntu", "22.04"), {}, []),
    ("os", "w1", system("ubuntu", "20.04"), {}, ["error ubuntu 20.04 is too old"]),
    ("os", "w1", system("rocky", "9.4"), {}, []),
    ("os", "w1", system("rhel", "8.10"), {}, ["error rhel 8.10 is too old"]),
    ("os", "w1", system("arch", ""), {}, ["warning arch  is not among the distributions"]),
    *(
        ("os", "w1", system(name, version), {}, [])
        for name, version in [
            ("debian", "12"),
            ("debian", "13"),
            ("ubuntu", "24.04"),
            *(
                (name, version)
                for name in ("rhel", "rocky", "almalinux", "centos", "ol")
                for version in ("9.6", "10.1")
            ),
            ("fedora", "43"),
            ("opensuse-leap", "16.0"),
            ("opensuse-tumbleweed", "20261120"),
            ("sles", "16.0"),
        ]
    ),
    ("os", "w1", system("opensuse-leap", "15.6"), {}, ["error opensuse-leap 15.6 is too old"]),
    ("os", "w1", {"os": {"id": ""}}, {}, ["warning an unknown operating system"]),
    ("architecture", "w1", {"arch": "aarch64"}, {}, ["error the processor is arm64, and the cluster file says amd64"]),
    ("architecture", "w1", {"arch": "riscv64"}, {}, ["error the processor is riscv64, which Kubikk has nothing for"]),
    ("root", "w1", {"root": False}, {}, ["error root is not root"]),
    ("systemd", "w1", {"init": "init", "systemd": 0}, {}, ["error the first process is init, not systemd"]),
    ("systemd", "w1", {"systemd": 239}, {}, ["error systemd 239 is older than 240"]),
    ("kernel", "w1", {"kernel": "4.18.0-553.el8"}, {}, ["warning the kernel 4.18.0-553.el8 is older"]),
    ("kernel", "w1", {"kernel": "4.19.0"}, {}, []),
    ("kernel", "w1", features(overlay=False), {}, ["error the kernel lacks overlay, for containers"]),
    ("kernel", "w1", features(br_netfilter=False) | system("rocky", "10.1"), {}, []),
    (
        "kernel",
        "w1",
        features(br_netfilter=False) | system("rocky", "9.6"),
        {},
        ["error the kernel lacks br_netfilter"],
    ),
    ("kernel", "w1", features(vxlan=False), {}, ["error the kernel lacks vxlan, for flannel"]),
    ("kernel", "w1", features(vxlan=False), HOST_GW, []),
    ("kernel", "w1", features(vxlan=False), NO_PLUGIN, []),
    ("kernel", "w1", {}, NFTABLES, []),
    ("kernel", "w1", {"kernel": "5.10.0-33"}, NFTABLES, ["error the kernel 5.10.0-33 is older than 5.13"]),
    ("kernel", "w1", features(nf_tables=False), NFTABLES, ["error the kernel lacks nf_tables, for kube-proxy's mode"]),
    ("kernel", "w1", features(ip_vs=False, dummy=False, nf_tables=False), {}, []),
    ("kernel", "w1", features(ip_vs=False), IPVS, ["error the kernel lacks ip_vs, for kube-proxy's mode ipvs"]),
    ("kernel", "w1", features(dummy=False), IPVS, ["error the kernel lacks dummy, for kube-proxy's mode ipvs"]),
    ("kernel", "w1", {}, IPVS, []),
    ("kernel", "w1", {"features": {}}, HOST_GW, ["error the kernel lacks"] * 6),
    ("cgroup", "w1", {"cgroup": {"version": 2, "controllers": ["cpu"]}}, {}, ["error cgroup controllers are missing"]),
    (
        "cgroup",
        "w1",
        {"cgroup": {"version": 1, "controllers": ["cpu", "cpuset", "memory", "pids"]}},
        {},
        ["warning the host has cgroup v1"],
    ),
    ("memory", "cp1", {"memory": 900 * MIB}, {}, ["error 900 MiB of memory; a control-plane host needs 1000 MiB"]),
    ("memory", "cp1", {"memory": 1600 * MIB}, {}, ["warning 1.6 GiB of memory; a control-plane host should have"]),
    ("memory", "w1", {"memory": 1600 * MIB}, {}, []),
    ("memory", "w1", {"memory": 800 * MIB}, {}, ["warning 800 MiB of memory"]),
    ("memory", "w1", {"memory": 400 * MIB}, {}, ["error 400 MiB of memory"]),
    ("disk", "w1", disks(("/var/lib", 1, 11 * GIB), ("/opt", 2, 3 * GIB)), {}, []),
    ("disk", "w1", disks(("/var/lib", 1, 11 * GIB), ("/opt", 1, 11 * GIB)), {}, ["warning 11.0 GiB free for /var/lib"]),
    ("disk", "w1", disks(("/var/lib", 1, GIB), ("/opt", 2, 3 * GIB)), {}, ["error 1.0 GiB free for /var/lib; 2.0"]),
    ("disk", "w1", disks(("/var/lib", 1, 2 * GIB), ("/opt", 1, 2 * GIB)) | OURS, {}, []),
    ("disk", "w1", disks(("/var/lib", 1, 99 * MIB)) | OURS, {}, ["error 99 MiB free for /var/lib; 256 MiB"]),
    ("swap", "w1", {"swap": GIB}, {}, ["warning 1.0 GiB of swap are on: pods get none of it"]),
    ("swap", "w1", {"swap": GIB}, SWAP_FAILS, ["error 1.0 GiB of swap are on, and"]),
    ("swap", "w1", {}, SWAP_FAILS, []),
    ("clock", "w1", {"clock": 0.9}, {}, []),
    ("clock", "w1", {"clock": 1.5}, {}, ["warning the clock is 1.5 s ahead of this machine's"]),
    ("clock", "w1", {"clock": 1.5, "clock_error": 0.7}, {}, []),
    ("clock", "w1", {"clock": -7.0, "clock_error": 0.1}, {}, ["error the clock is 7.0 s behind this machine's"]),
    ("machine-id", "w1", {"machine_id": ""}, {}, ["error /etc/machine-id is empty"]),
    ("machine-id", "w1", {"machine_id": "uninitialized"}, {}, ["error /etc/machine-id is empty"]),
    (
        "address",
        "w1",
        {"addresses": ["127.0.0.1", "192.0.2.1"]},
        {},
        ["error 10.0.0.21 is none of the host's addresses (192"],
    ),
    (
        "address",
        "w1",
        {"addresses": ["127.0.0.1"]},
        {},
        ["error 10.0.0.21 is none of the host's addresses (it has none)"],
    ),
    ("route", "w1", {"default_route": False}, {}, ["warning there is no default route"]),
    ("route", "w1", {}, DUAL_STACK, ["warning there is no default route of IPv6"]),
    ("route", "w1", {"default_route_ipv6": True}, DUAL_STACK, []),
    ("networks", "cp1", {"networks": MADE_WITH}, {}, []),
    (
        "networks",
        "cp1",
        {"networks": MADE_WITH},
        {"network": {"pod_cidr": "10.64.0.0/16"}},
        ["error the cluster was made with 10.244.0.0/16 for pods, and the cluster file says 10.64.0.0/16"],
    ),
    (
        "networks",
        "cp1",
        {"networks": MADE_WITH},
        DUAL_STACK,
        [
            "error the cluster was made with 10.244.0.0/16 for pods",
            "error the cluster was made with 10.96.0.0/12 for services",
        ],
    ),
    (
        "ports",
        "w1",
        listener(10250, "kubelet", "/usr/bin/kubelet", "kubelet.service"),
        {},
        ["error tcp port 10250, which kubelet needs, is used by kubelet (/usr/bin/kubelet) of kubelet.service"],
    ),
    ("ports", "w1", listener(10250, "kubelet", "/opt/kubikk/kubelet/1.37.2/kubelet", "kubelet.service"), {}, []),
    ("ports", "w1", listener(10250, "kubelet", "/opt/kubikk/kubelet/1.37.2/kubelet (deleted)"), {}, []),
    ("ports", "w1", listener(2379, "etcd", "/usr/bin/etcd"), {}, []),
    (
        "ports",
        "cp1",
        listener(2379, "etcd", "/usr/bin/etcd"),
        {},
        ["error tcp port 2379, which etcd needs, is used by"],
    ),
    ("ports", "w1", listener(6443, "haproxy", "/usr/sbin/haproxy", "haproxy.service"), {}, ["error tcp port 6443"]),
    ("ports", "cp1", listener(10258, "ccm", "/usr/bin/ccm"), {}, []),
    (
        "ports",
        "cp1",
        listener(10258, "ccm", "/usr/bin/ccm"),
        {"cloud": {"provider": "aws"}},
        ["error tcp port 10258, which cloud-controller-manager needs"],
    ),
    ("ports", "cp1", listener(10258, "ccm", "/usr/bin/ccm"), {"cloud": {"provider": "external"}}, []),
    (
        "ports",
        "w1",
        listener(6443, "haproxy", "/usr/sbin/haproxy", "haproxy.service")
        | {"present": ["/etc/haproxy/kubikk.cfg"], "kubikk_units": ["haproxy"]},
        {},
        [],
    ),
    ("ports", "w1", listener(7443, "x"), {"api": {"port": 7443}}, ["error tcp port 7443, which haproxy needs"]),
    ("ports", "w1", listener(8472, "vpn", protocol="udp"), {}, ["error udp port 8472, which flanneld needs"]),
    ("ports", "w1", listener(8472, "", protocol="udp"), {}, []),
    ("ports", "w1", listener(8472, "vpn", protocol="udp"), HOST_GW, []),
    ("vxlan", "w1", {"vxlan": [{"name": "vxlan.calico", "port": 4789}]}, {}, []),
    ("vxlan", "w1", {"vxlan": [{"name": "cilium_vxlan", "port": 8472}]}, {}, ["error the interface cilium_vxlan uses"]),
    ("vxlan", "w1", {"vxlan": [{"name": "flannel.1", "port": 8472}]}, {}, ["error the interface flannel.1 uses"]),
    ("vxlan", "w1", {"vxlan": [{"name": "flannel.1", "port": 8472}], "present": [FLANNEL]}, {}, []),
    ("vxlan", "w1", {"vxlan": [{"name": "cilium_vxlan", "port": 8472}]}, NO_PLUGIN, []),
    ("firewall", "w1", {"ufw": True}, {}, ["warning ufw filters packets"]),
    ("firewall", "w1", service("firewalld", "/usr/bin/python3"), {}, ["warning firewalld filters packets"]),
    ("firewall", "w1", service("firewalld", "", "inactive"), {}, []),
    ("firewall", "w1", {"ufw": True}, {"network": {"firewall": "open"}}, []),
    ("selinux", "w1", {"selinux": "enforcing"}, {}, ["warning SELinux is enforcing"]),
    ("selinux", "w1", {"selinux": "permissive"}, {}, []),
    (
        "kubeadm",
        "w1",
        {"listed": {"/etc/kubernetes/manifests": ["etcd.yaml"]}},
        {},
        ["error /etc/kubernetes/manifests"],
    ),
    ("kubeadm", "w1", {"listed": {"/etc/kubernetes/manifests": [".keep"]}}, {}, []),
    (
        "kubeadm",
        "w1",
        {"present": ["/etc/kubernetes/kubelet.conf"]},
        {},
        ["error /etc/kubernetes/kubelet.conf is left"],
    ),
    ("kubeadm", "w1", {"present": ["/etc/kubernetes/admin.conf"]}, {}, ["error /etc/kubernetes/admin.conf is left"]),
    ("kubeadm", "w1", {"present": ["/etc/kubernetes/admin.conf"]} | OURS, {}, []),
    ("other-kubernetes", "w1", service("k3s", "/usr/local/bin/k3s"), {}, ["error k3s is running (k3s)"]),
    (
        "other-kubernetes",
        "w1",
        {"present": ["/var/lib/rancher/rke2"]},
        {},
        ["warning /var/lib/rancher/rke2 is left of RKE2"],
    ),
    ("services", "w1", service("containerd", "/usr/bin/containerd"), {}, ["error containerd is running already"]),
    ("services", "w1", service("containerd", "/usr/bin/containerd", "inactive"), {}, []),
    ("services", "w1", service("containerd", "/opt/kubikk/containerd/2.4.2/containerd"), {}, []),
    ("services", "w1", service("etcd", "/usr/bin/etcd"), {}, []),
    ("services", "cp1", service("etcd", "/usr/bin/etcd"), {}, ["error etcd is running already (/usr/bin/etcd)"]),
    ("services", "w1", service("haproxy", "/usr/sbin/haproxy"), {}, ["error haproxy is running already"]),
    ("services", "cp1", service("haproxy", "/usr/sbin/haproxy"), {}, []),
    ("services", "w1", service("docker", "/usr/bin/dockerd"), DOCKER, ["error docker is running already"]),
    ("services", "w1", service("docker", "/usr/bin/dockerd") | OUR_DOCKER, DOCKER, []),
    # A host that is to run containerd instead of the Docker that Kubikk set up, which has a containerd of its own.
    ("services", "w1", service("containerd", "/usr/bin/containerd") | OUR_DOCKER, {}, []),
    ("runtimes", "w1", service("docker", "/usr/bin/dockerd"), {}, ["warning docker is running beside containerd"]),
    ("runtimes", "w1", service("docker", "/usr/bin/dockerd") | OUR_DOCKER, {}, []),
    ("runtimes", "w1", service("containerd", "/usr/bin/containerd"), DOCKER, []),
    ("runtimes", "w1", service("containerd", "/usr/bin/containerd"), {"runtime": "cri-o"}, ["warning containerd is"]),
    ("runtimes", "w1", service("crio", "/opt/kubikk/cri-o/1.36.3/crio"), {}, []),
    (
        "cni",
        "w1",
        {"listed": {"/etc/cni/net.d": ["05-cilium.conflist"]}},
        {},
        ["error /etc/cni/net.d/05-cilium.conflist"],
    ),
    ("cni", "w1", {"listed": {"/etc/cni/net.d": ["05-cilium.conflist"]}}, NO_PLUGIN, []),
    ("cni", "w1", {"listed": {"/etc/cni/net.d": ["87-podman.conflist"]}}, {}, ["warning /etc/cni/net.d/87-podman"]),
    ("cni", "w1", {"listed": {"/etc/cni/net.d": ["05-old.conflist.bak"]}}, {}, []),
    (
        "etcd-data",
        "cp1",
        {"listed": {"/var/lib/etcd": ["member"]}},
        {},
        ["error /var/lib/etcd holds the data of another"],
    ),
    ("etcd-data", "cp1", {"listed": {"/var/lib/etcd": ["member"]}, "kubikk_units": ["etcd"]}, {}, []),
    ("etcd-data", "w1", {"listed": {"/var/lib/etcd": ["member"]}}, {}, []),
    ("etcd-data", "cp1", {"listed": {"/var/lib/etcd": ["lost+found"]}}, {}, []),
    (
        "etcd-data",
        "cp1",
        {"listed": {"/var/lib/etcd": ["member"]}} | service("etcd", "/opt/kubikk/etcd/3.7.3/etcd"),
        {},
        [],
    ),
]


@pytest.mark.parametrize(("check", "name", "facts", "settings", "expected"), CASES)
def test_check(check: str, name: str, facts: dict[str, Any], settings: dict[str, Any], expected: list[str]) -> None:
    faults = list(BY_NAME[check].find(make_view(name, make_cluster(**settings), **facts)))
    found = [f"{fault.level} {fault.message}" for fault in faults]
    assert [text[: len(part)] for text, part in zip(found, expected, strict=True)] == expected
    assert all(fault.remedy.endswith((".", "service")) for fault in faults)
    assert not any(fault.message.endswith(".") for fault in faults)


def probes(cluster: Cluster, **changes: HostProbe) -> dict[str, HostProbe]:
    """All hosts well, but for some."""
    return {host.name: changes.get(host.name, HostProbe(host.name, make_facts(host.address))) for host in cluster.hosts}


def problems(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(entry.host, entry.level, entry.check) for entry in findings if entry.level != "ok"]


def test_nothing_wrong() -> None:
    cluster = make_cluster()
    findings = examine(cluster, probes(cluster), [])
    assert problems(findings) == []
    assert [entry.host for entry in findings] == sorted(entry.host for entry in findings)
    assert {entry.check for entry in findings} == {*BY_NAME, CONNECTION, "hostname"}


def test_a_converged_host_is_not_complained_of() -> None:
    cluster = make_cluster()
    found = {
        host.name: HostProbe(host.name, converged(host.address, control_plane=host.is_control_plane))
        for host in cluster.hosts
    }
    assert problems(examine(cluster, found, [])) == []


def test_unreachable_host() -> None:
    cluster = make_cluster()
    error = KubikkError("w1 cannot be reached", host="w1", cause="no answer", remedy="Look.")
    findings = examine(cluster, probes(cluster, w1=HostProbe("w1", error=error)), [])
    assert [entry for entry in findings if entry.host == "w1"] == [
        Finding("error", CONNECTION, "w1", "w1 cannot be reached: no answer", "Look.")
    ]


def test_copied_hosts() -> None:
    cluster = make_cluster()
    copy = make_facts("10.0.0.22", machine_id="same", hostname="golden")
    other = make_facts("10.0.0.21", machine_id="same", hostname="golden")
    findings = examine(cluster, probes(cluster, w1=HostProbe("w1", other), w2=HostProbe("w2", copy)), [])
    assert problems(findings) == [
        ("w1", "error", "machine-id"),
        ("w1", "warning", "hostname"),
        ("w2", "error", "machine-id"),
        ("w2", "warning", "hostname"),
    ]


def test_without_root_nothing_else_is_said() -> None:
    cluster = make_cluster()
    facts = make_facts("10.0.0.21", root=False, memory=0, default_route=False)
    assert problems(examine(cluster, probes(cluster, w1=HostProbe("w1", facts)), [])) == [("w1", "error", "root")]


API = Port("tcp", 6443, "kube-apiserver")
VXLAN = Port("udp", 8472, "flanneld")

UNREACHED: list[tuple[list[Attempt], list[str]]] = [
    ([Attempt("w1", "cp1", API, "open"), Attempt("w2", "cp1", API, "open")], []),
    (
        [Attempt("w1", "cp1", API, "timeout"), Attempt("w2", "cp1", API, "open")],
        ["tcp port 6443 (kube-apiserver) cannot be reached from w1: no answer, so a firewall drops it"],
    ),
    (
        [Attempt("w1", "cp1", API, "timeout"), Attempt("w2", "cp1", API, "timeout")],
        ["tcp port 6443 (kube-apiserver) cannot be reached from w1, w2 (nobody can): no answer"],
    ),
    (
        [Attempt("w1", "cp1", API, "timeout"), Attempt("w2", "cp1", API, "refused")],
        ["tcp port 6443 (kube-apiserver) cannot be reached from w1: no", "tcp port 6443 (kube-apiserver) cannot be"],
    ),
    ([Attempt("w1", "cp1", VXLAN, "unreachable")], ["udp port 8472 (flanneld) cannot be reached from w1: a router"]),
    ([Attempt("w1", "cp1", VXLAN, "Bad thing")], ["udp port 8472 (flanneld) cannot be reached from w1: Bad thing"]),
]


@pytest.mark.parametrize(("attempts", "expected"), UNREACHED)
def test_reachability(attempts: list[Attempt], expected: list[str]) -> None:
    cluster = make_cluster()
    findings = [entry for entry in examine(cluster, probes(cluster), attempts) if entry.check == "reachability"]
    found = [entry.message for entry in findings if entry.level == "error"]
    assert [text[: len(part)] for text, part in zip(found, expected, strict=True)] == expected
    assert {entry.host for entry in findings} == {"cp1"}


def test_not_the_program_that_was_asked() -> None:
    with pytest.raises(KubikkError, match="does not answer as it should"):
        make_facts("10.0.0.1", memory="much")
