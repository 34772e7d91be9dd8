"""Checks of the operating system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubikk.cluster.skew import COMPONENTS
from kubikk.hosts.checks.view import Fault, View, error, warning
from kubikk.hosts.layout import OPT, uses_vxlan

OLDEST = {
    "debian": ("Debian 11", (11,)),
    "ubuntu": ("Ubuntu 22.04", (22, 4)),
    "rhel": ("RHEL 9", (9,)),
    "rocky": ("Rocky Linux 9", (9,)),
    "almalinux": ("AlmaLinux 9", (9,)),
    "centos": ("CentOS Stream 9", (9,)),
    "ol": ("Oracle Linux 9", (9,)),
    "fedora": ("Fedora 40", (40,)),
    "amzn": ("Amazon Linux 2023", (2023,)),
    "opensuse-leap": ("openSUSE Leap 16", (16,)),
    "opensuse-tumbleweed": ("openSUSE Tumbleweed", ()),
    "sles": ("SLES 16", (16,)),
}
"""The oldest release of each supported distribution, by its ID: the first with Python 3.9 or newer."""

_APART_SINCE = 10
_KEPT_APART = {"rhel", "centos", "rocky", "almalinux", "ol"}
_IN_KERNEL_MODULES_EXTRA = {"br_netfilter"}

OLDEST_SYSTEMD = 240
"""The first that takes the unit files' settings as they are written."""

OLDEST_KERNEL = (4, 19)
"""What Kubernetes asks for: https://kubernetes.io/docs/reference/node/kernel-version-requirements/."""

OLDEST_KERNEL_FOR_NFTABLES = (5, 13)
"""kube-proxy refuses older ones: pkg/util/kernel in the Kubernetes source."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
_LAST_WITH_CGROUP_V1 = 257
_OWN_VERSION = re.compile(re.escape(OPT) + r"[^/]+/([0-9.]+)/[^/]+")


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version: ``24.04`` is (24, 4)."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def check_os(view: View) -> Iterator[Fault]:
    """A distribution that Kubikk is meant for, in a release that is new enough."""
    system = view.facts.os
    shown = system.name or system.id or "an unknown operating system"
    supported = f"{', '.join(name for name, _ in OLDEST.values())}, or newer"
    if system.id not in OLDEST:
        yield warning(f"{shown} is not among the distributions that Kubikk knows", f"Use {supported}.")
    elif (found := numbers(system.version)) and found < OLDEST[system.id][1]:
        yield error(f"{shown} is too old", f"Use {supported}.")


def check_architecture(view: View) -> Iterator[Fault]:
    """The processor that the cluster file says, which decides what is installed."""
    found = ARCHITECTURES.get(view.facts.arch)
    if found is None:
        yield error(f"the processor is {view.facts.arch}, which Kubikk has nothing for", "Use an amd64 or arm64 host.")
    elif found != view.host.arch:
        yield error(
            f"the processor is {found}, and the cluster file says {view.host.arch}",
            f"Write arch: {found} for {view.host.name}.",
        )


def check_root(view: View) -> Iterator[Fault]:
    """Root, directly or through sudo."""
    if not view.facts.root:
        yield error(
            f"{view.cluster.connection(view.host).user} is not root and sudo is turned off",
            "Take ssh.become: false out of the cluster file, or log in as root.",
        )


def check_systemd(view: View) -> Iterator[Fault]:
    """systemd as the first process."""
    if view.facts.init != "systemd" or not view.facts.systemd:
        yield error(
            f"the first process is {view.facts.init or 'unknown'}, not systemd", "Use a host that systemd starts."
        )
    elif view.facts.systemd < OLDEST_SYSTEMD:
        yield error(
            f"systemd {view.facts.systemd} is older than {OLDEST_SYSTEMD}", "Use a newer release of the distribution."
        )


def check_kernel(view: View) -> Iterator[Fault]:
    """A kernel that is new enough and has what containers and their network need."""
    release = view.facts.kernel
    if numbers(release)[:2] < OLDEST_KERNEL:
        yield warning(f"the kernel {release} is older than 4.19, which Kubernetes asks for", "Use a newer kernel.")
    mode = view.cluster.kube_proxy.mode if view.host.is_node else ""
    if mode == "nftables" and numbers(release)[:2] < OLDEST_KERNEL_FOR_NFTABLES:
        yield error(
            f"the kernel {release} is older than 5.13, which kube-proxy asks for in its mode nftables",
            "Use a newer kernel, or set kube_proxy.mode: iptables.",
        )
    for feature, purpose in _needed(view).items():
        if not view.facts.features.get(feature, False) and not _comes_with_package(view, feature):
            remedy = f"Load the module {feature}, or use a kernel that has it."
            if feature == "vxlan":
                remedy = f"{remedy[:-1]}, or set network.backend: host-gw."
            if feature in _FEATURES_OF_MODES.get(mode, ()):
                remedy = f"{remedy[:-1]}, or set kube_proxy.mode: iptables."
            yield error(f"the kernel lacks {feature}, for {purpose}", remedy)


def _comes_with_package(view: View, feature: str) -> bool:
    """Whether ``up`` installs what is missing: RHEL 10 and its relatives keep modules in kernel-modules-extra."""
    system = view.facts.os
    later = numbers(system.version)[:1] >= (_APART_SINCE,)
    return system.id in _KEPT_APART and later and feature in _IN_KERNEL_MODULES_EXTRA


# Beside what every mode of kube-proxy needs. ipvs binds Services' addresses to a dummy interface.
_FEATURES_OF_MODES = {"nftables": ("nf_tables",), "ipvs": ("ip_vs", "dummy")}


def _needed(view: View) -> dict[str, str]:
    """Features of the kernel that a host needs, and what for."""
    if not view.host.is_node:
        return {}
    needed = {
        "overlay": "containers",
        "bridge": "pods",
        "veth": "pods",
        "br_netfilter": "Services",
        "iptables": "Services",
        "nf_conntrack": "Services",
    }
    mode = view.cluster.kube_proxy.mode
    needed |= dict.fromkeys(_FEATURES_OF_MODES.get(mode, ()), f"kube-proxy's mode {mode}")
    return needed | ({"vxlan": "flannel"} if uses_vxlan(view.cluster) else {})


def check_cgroup(view: View) -> Iterator[Fault]:
    """cgroup controllers that kubelet cannot do without, and which version they have."""
    if not view.host.is_node:
        return
    group = view.facts.cgroup
    missing = [name for name in CONTROLLERS if name not in group.controllers]
    if missing:
        yield error(
            f"cgroup controllers are missing: {', '.join(missing)}",
            "Take options that disable them (such as cgroup_disable=memory) from the kernel's command line.",
        )
    if group.version == 1:
        yield warning(
            "the host has cgroup v1, which Kubernetes supports no longer than it must",
            "Boot it with cgroup v2 (systemd.unified_cgroup_hierarchy=1); it works meanwhile.",
        )


def check_versions(view: View) -> Iterator[Fault]:
    """No other version of Kubernetes: to change it takes an order and gates that only an upgrade has."""
    wanted = view.cluster.kubernetes
    for component in COMPONENTS:
        service = view.facts.units.get(component)
        found = _OWN_VERSION.fullmatch(service.executable) if service else None
        if found and found[1] != wanted.number:
            remedy = f"Run kubikk upgrade --to {wanted.version}."
            if numbers(found[1]) > numbers(wanted.number):
                remedy = f"Write v{found[1]} into the cluster file (kubernetes.version): there is no way back."
            yield error(f"{component} {found[1]} runs there; the cluster file says {wanted.version}", remedy)
            return
