"""Files that hold secrets: who may read them, and where they are not."""

from __future__ import annotations

import hashlib
import stat

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.description import ClusterHost, Description

_PLACES = "/etc/kubernetes /etc/etcd /etc/haproxy /etc/keepalived /var/lib/kubelet/pki /var/lib/kubikk"
_OWNERS = {
    "/etc/etcd/": "etcd",
    "/etc/kubernetes/kube-apiserver/": "kube-apiserver",
    "/etc/kubernetes/kube-controller-manager/": "kube-controller-manager",
    "/etc/kubernetes/kube-scheduler/": "kube-scheduler",
}
_SECRET = "'PRIVATE KEY-----|client-key-data:|kind: EncryptionConfiguration'"


def _secret_files(access: Access, host: ClusterHost) -> dict[str, tuple[str, str, str]]:
    """Path -> mode, owner and sha256 of every file with a secret in it."""
    search = f"grep -rlE -e {_SECRET} {_PLACES} 2>/dev/null"
    describe = "echo $(stat -c '%n %a %U' $f) $(sha256sum <$f)"
    found = {}
    for line in access.output(host.name, f"for f in $({search}); do {describe}; done").splitlines():
        path, mode, owner, digest, _ = line.split()
        found[path] = (mode, owner, digest)
    return found


@pytest.fixture(scope="module")
def secret_files(cluster: Description, access: Access) -> dict[str, dict[str, tuple[str, str, str]]]:
    """Of every host."""
    return {host.name: _secret_files(access, host) for host in cluster.hosts.values()}


def test_secrets_are_their_owner_s_only(
    secret_files: dict[str, dict[str, tuple[str, str, str]]], subtests: pytest.Subtests
) -> None:
    for host, files in secret_files.items():
        assert files, f"no key was found on {host}"
        for path, (mode, owner, _) in files.items():
            with subtests.test(host=host, path=path):
                wanted = next((user for place, user in _OWNERS.items() if path.startswith(place)), "root")
                assert (mode, owner) == ("600", wanted)


def test_authorities_keys_leave_the_control_node_only_where_needed(
    cluster: Description, secret_files: dict[str, dict[str, tuple[str, str, str]]]
) -> None:
    """kube-controller-manager signs what kubelets renew; nobody signs for etcd or the front proxy."""

    def holders(name: str) -> set[tuple[str, str]]:
        digest = hashlib.sha256((cluster.pki / name).read_bytes()).hexdigest()
        return {
            (host, path) for host, files in secret_files.items() for path, each in files.items() if each[2] == digest
        }

    place = "/etc/kubernetes/kube-controller-manager/ca.key"
    assert holders("ca.key") == {(host.name, place) for host in cluster.control_planes}
    assert holders("etcd-ca.key") == set()
    assert holders("front-proxy-ca.key") == set()


def test_nothing_below_etc_can_be_written_by_others(
    cluster: Description, access: Access, subtests: pytest.Subtests
) -> None:
    for host in cluster.hosts:
        with subtests.test(host=host):
            places = "/etc/kubernetes /etc/etcd /etc/cni /etc/containerd /opt/kubikk /var/lib/etcd"
            assert access.output(host, f"find {places} -perm /022 ! -type l 2>/dev/null; true") == ""


def test_data_directories_are_closed(cluster: Description, access: Access) -> None:
    for host in cluster.etcd_hosts:
        assert access.output(host.name, "stat -c '%a %U' /var/lib/etcd") == "700 etcd"
    for host in cluster.control_planes:
        assert access.output(host.name, "stat -c '%a %U' /var/log/kube-apiserver") == "750 kube-apiserver"


def test_no_transfer_is_left_behind(cluster: Description, access: Access) -> None:
    for host in cluster.hosts:
        assert access.output(host, "find /var/tmp/kubikk-staging-* -type f 2>/dev/null; true") == ""


def test_keys_on_this_machine_are_closed(cluster: Description) -> None:
    keys = [*cluster.pki.rglob("*.key"), cluster.kubeconfig]
    assert len(keys) > 10
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys if path.stat().st_mode & 0o077} == {}
