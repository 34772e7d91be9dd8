"""Every distribution that is supported: what it is taken for, and what would be installed how."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import distributions, packages

KERNEL = "6.12.0-124.8.1.el10_1.x86_64"
APT = "apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends"
DNF = "dnf --assumeyes --setopt=install_weak_deps=False install"
ZYPPER = "zypper --non-interactive install --no-recommends"
HOST: tuple[str, ...] = ("kernel-modules", "container-selinux", "iptables", "nftables", "ipset")

# ID, ID_LIKE and VERSION_ID as the distributions' /etc/os-release has them: family, and Kubikk's names -> theirs
RELEASES: list[tuple[str, str, str, str, dict[tuple[str, ...], str]]] = [
    *(
        (
            *release,
            "debian",
            {
                HOST: f"{APT} iptables nftables ipset",
                ("docker", "socat"): f"{APT} docker.io socat",
                ("keepalived", "curl"): f"{APT} keepalived curl",
                ("haproxy",): f"{APT} haproxy",
                ("skopeo", "conmon"): f"{APT} skopeo conmon",
            },
        )
        for release in [
            ("debian", "", "12"),
            ("debian", "", "13"),
            ("ubuntu", "debian", "22.04"),
            ("ubuntu", "debian", "24.04"),
        ]
    ),
    *(
        (
            *release,
            "redhat",
            {
                HOST: f"{DNF} container-selinux iptables-nft nftables ipset",
                ("docker", "socat"): f"{DNF} moby-engine socat",
                ("keepalived", "curl"): f"{DNF} keepalived curl",
                ("haproxy",): f"{DNF} haproxy",
                ("skopeo", "conmon"): f"{DNF} skopeo conmon",
            },
        )
        for release in [
            ("rhel", "fedora", "9.6"),
            ("rocky", "rhel centos fedora", "9.6"),
            ("almalinux", "rhel centos fedora", "9.6"),
            ("fedora", "", "43"),
            ("amzn", "fedora", "2023"),
        ]
    ),
    *(
        (
            *release,
            "redhat",
            {HOST: f"{DNF} kernel-modules-extra-{KERNEL} container-selinux iptables-nft nftables ipset"},
        )
        for release in [
            ("rhel", "centos fedora", "10.1"),
            ("rocky", "rhel centos fedora", "10.1"),
            ("almalinux", "rhel centos fedora", "10.1"),
            ("centos", "rhel fedora", "10"),
            ("ol", "fedora", "10.1"),
        ]
    ),
    *(
        (
            *release,
            "suse",
            {
                HOST: f"{ZYPPER} iptables nftables ipset",
                ("docker", "socat"): f"{ZYPPER} docker socat",
                ("keepalived", "curl"): f"{ZYPPER} keepalived curl",
                ("skopeo", "conmon"): f"{ZYPPER} skopeo conmon",
            },
        )
        for release in [
            ("opensuse-leap", "suse opensuse", "16.0"),
            ("opensuse-tumbleweed", "opensuse suse", "20261120"),
            ("sles", "suse", "16.0"),
        ]
    ),
    ("arch", "", "", "other", {("docker",): ""}),
]
MANAGER = {"debian": "apt-get", "redhat": "dnf", "suse": "zypper", "other": ""}


def os_release(name: str, like: str, version: str) -> str:
    return f'NAME="x"\nID="{name}"\nVERSION_ID="{version}"\n' + (f'ID_LIKE="{like}"\n' if like else "")


@pytest.mark.parametrize(("name", "like", "version", "family", "_"), RELEASES)
def test_family(name: str, like: str, version: str, family: str, _: Any) -> None:
    expected = {"id": name, "version": version, "family": family}
    assert distributions.os_release(os_release(name, like, version)) == expected


def test_a_system_without_a_name() -> None:
    assert distributions.os_release("NAME=x") == {"id": "", "version": "", "family": "other"}


@pytest.mark.parametrize(
    ("release", "family", "wanted", "command"),
    [
        (os_release(name, like, version), family, wanted, command)
        for name, like, version, family, commands in RELEASES
        for wanted, command in commands.items()
    ],
)
def test_what_would_be_installed(
    monkeypatch: pytest.MonkeyPatch, release: str, family: str, wanted: tuple[str, ...], command: str
) -> None:
    """No repository here has anything beyond the distribution's own."""
    ran: list[str] = []
    monkeypatch.setattr(packages.shutil, "which", lambda name: MANAGER[family] == name)
    monkeypatch.setattr(packages.os.path, "exists", lambda _: True)
    monkeypatch.setattr(packages, "_run", lambda command: ran.append(" ".join(command)))
    monkeypatch.setattr(packages, "_apt_knows", lambda _: False)
    monkeypatch.setattr(packages, "_knows", lambda *_: False)
    names = distributions.packages(wanted, release, KERNEL)
    if command:
        packages.install(names, {})
        assert ran == [command]
    else:
        with pytest.raises(packages.PackageError, match="install docker by hand"):
            packages.install(names, {})
