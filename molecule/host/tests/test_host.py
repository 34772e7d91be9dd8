"""A host prepared for Kubernetes: kernel settings, packages, directories, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

from shared.hosts import permissions
from testinfra.host import Host

# Those of the role's defaults that belong to the host alone; the others are the machine's, which all lab hosts share.
_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
}


def test_kernel_settings_are_applied(host: Host) -> None:
    assert {name: host.check_output(f"sysctl --values {name}") for name in _SYSCTLS} == _SYSCTLS


def test_kernel_settings_outlast_a_reboot(host: Host) -> None:
    lines = host.check_output("cat /etc/sysctl.d/99-kubikk.conf").splitlines()
    assert {f"{name} = {value}" for name, value in _SYSCTLS.items()} <= set(lines)


def test_kernel_modules_are_loaded_at_boot(host: Host) -> None:
    lines = host.check_output("cat /etc/modules-load.d/kubikk.conf").splitlines()
    assert {"overlay", "br_netfilter", "nf_conntrack", "vxlan"} <= set(lines)


def test_packages(host: Host) -> None:
    assert host.package("iptables").is_installed


def test_permissions(host: Host) -> None:
    expected = {
        "/etc/kubernetes": "755 root:root",
        "/opt/kubikk": "755 root:root",
        "/etc/sysctl.d/99-kubikk.conf": "644 root:root",
        "/etc/modules-load.d/kubikk.conf": "644 root:root",
    }
    assert permissions(host, expected) == expected


def test_a_package_that_does_not_exist_is_named(refused: Callable[..., str]) -> None:
    assert "no-such-package" in refused(host_packages=["no-such-package"])


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(host_sysctls=["net.ipv4.ip_forward"])
    assert "host_sysctls" in output
    assert "cannot be converted to a dict" in output
