"""After a reset nothing of Kubernetes is left on a host."""

from __future__ import annotations

from collections.abc import Callable

from testinfra.host import Host


def test_no_unit_is_left(host: Host) -> None:
    listed = host.check_output("systemctl list-unit-files --no-legend --type=service")
    units = {line.split()[0].removesuffix(".service") for line in listed.splitlines()}
    assert not units & {"etcd", "kube-apiserver", "containerd", "kubelet"}


def test_no_process_is_left(host: Host) -> None:
    programs = host.check_output("readlink /proc/[0-9]*/exe; true").splitlines()
    assert programs
    assert not [program for program in programs if program.startswith("/opt/kubikk/")]


def test_no_file_is_left(host: Host) -> None:
    paths = ("/etc/kubernetes", "/etc/etcd", "/etc/containerd", "/opt/kubikk", "/var/lib/kubikk", "/run/containerd")
    assert [path for path in paths if host.file(path).exists] == []
    # Mount points stay; what was in them does not.
    assert host.check_output("ls -A /var/lib/etcd /var/lib/kubelet /var/lib/containerd | grep -v :; true").strip() == ""
    assert host.check_output("find /usr/local/bin /opt/cni/bin -type l; true") == ""


def test_no_user_is_left(host: Host) -> None:
    assert not {"etcd", "kube-apiserver"} & set(host.check_output("cut -d: -f1 /etc/passwd").splitlines())


def test_no_rule_is_left(host: Host) -> None:
    assert "KUBE-" not in host.check_output("iptables-save")


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(reset_units={"etcd": True})
    assert "reset_units" in output
    assert "cannot be converted to a list" in output
