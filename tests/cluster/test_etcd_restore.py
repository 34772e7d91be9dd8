"""A cluster goes back to a snapshot; one that has lost two of three members for good lives on with the third's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, kubikk, runs
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(3000)]

_KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf "


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """Three control-plane hosts and a worker with a running cluster."""
    with own_lab(f"{lab_name}-restore", tmp_path_factory.mktemp("restore"), control_planes=3, workers=1) as own:
        result = kubikk("up", "-f", str(own.file), timeout=1800)
        assert result.returncode == 0, result.stdout
        yield own


def _names(own: OwnLab, kind: str, host: str = "cp1") -> set[str]:
    return set(own.run(host, _KUBECTL + f"get {kind} -o name").split())


def _write(own: OwnLab, name: str, host: str = "cp1") -> None:
    own.run(host, _KUBECTL + f"create configmap {name}")


def _members(own: OwnLab) -> list[tuple[str, bool]]:
    listed = json.loads(
        own.run(
            "cp1",
            "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt "
            "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key member list --write-out=json",
        )
    )["members"]
    return sorted((member["name"], member.get("isLearner", False)) for member in listed)


def test_back_to_a_snapshot(own: OwnLab) -> None:
    _write(own, "before")
    file = own.directory / "s.db"
    taken = kubikk("etcd", "snapshot", "-f", str(own.file), "-o", str(file))
    assert taken.returncode == 0, taken.stdout
    _write(own, "after")
    version = int(own.run("cp1", _KUBECTL + "get configmap after -o jsonpath={.metadata.resourceVersion}"))
    begun = time.monotonic()
    result = kubikk("etcd", "restore", str(file), "-f", str(own.file), "--yes", timeout=1200)
    assert result.returncode == 0, result.stdout
    print(f"restored in {time.monotonic() - begun:.0f} s")
    present = _names(own, "configmap")
    assert "configmap/before" in present
    assert "configmap/after" not in present
    # No client takes what is old for new.
    _write(own, "later")
    assert (
        int(own.run("cp1", _KUBECTL + "get configmap later -o jsonpath={.metadata.resourceVersion}")) > version + 10**8
    )
    assert _names(own, "nodes") == {"node/cp1", "node/cp2", "node/cp3", "node/w1"}
    assert _members(own) == [("cp1", False), ("cp2", False), ("cp3", False)]
    for host in ("cp1", "cp2", "cp3"):
        assert own.run(host, "ls -d /var/lib/etcd/before-restore-*/member/snap/db").count("\n") == 1
        assert own.run(host, "ls -A /var/lib/etcd | grep -v -e ^member$ -e ^before-restore- || true") == ""
    status = kubikk("status", "-f", str(own.file))
    assert status.returncode == 0, status.stdout
    again = kubikk("up", "-f", str(own.file), timeout=1200)
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []


def test_a_changed_snapshot_stops_nothing(own: OwnLab, tmp_path: Path) -> None:
    content = bytearray((own.directory / "s.db").read_bytes())
    content[len(content) // 2] ^= 0xFF
    bad = tmp_path / "bad.db"
    bad.write_bytes(content)
    since = own.run("cp1", "systemctl show --value -p InvocationID etcd kube-apiserver")
    result = kubikk("etcd", "restore", str(bad), "-f", str(own.file), "--yes", timeout=1200)
    assert result.returncode == 1
    assert "KBK-411" in result.stdout
    assert own.run("cp1", "systemctl show --value -p InvocationID etcd kube-apiserver") == since
    assert "configmap/later" in _names(own, "configmap")


def test_two_of_three_members_are_lost_for_good(own: OwnLab) -> None:
    _write(own, "last")
    for name in ("cp2", "cp3"):
        own.lab.power_off(name)
        own.lab.destroy_host(name)
    own.lab.up(3, 1)  # fresh hosts of the same names
    # The one that is left has seen its power go, too: it answers no client any more.
    own.lab.power_off("cp1")
    own.lab.power_on("cp1")
    refused = kubikk("up", "-f", str(own.file), "--wait", "20", timeout=1200)
    assert refused.returncode == 1
    assert "KBK-401" in refused.stdout, refused.stdout
    result = kubikk("etcd", "restore", "--from-member", "cp1", "-f", str(own.file), "--yes", timeout=1200)
    assert result.returncode == 0, result.stdout
    assert {"configmap/before", "configmap/later", "configmap/last"} <= _names(own, "configmap")
    assert _members(own) == [("cp1", False), ("cp2", False), ("cp3", False)]
    status = until(lambda: kubikk("status", "-f", str(own.file)).returncode == 0, "all is well", within=120, every=5)
    assert status
    again = kubikk("up", "-f", str(own.file), timeout=1200)
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []


def test_all_hosts_are_lost_and_fresh_ones_take_a_snapshot(own: OwnLab) -> None:
    for name in ("cp1", "cp2", "cp3", "w1"):
        own.lab.power_off(name)
        own.lab.destroy_host(name)
    own.lab.up(3, 1)
    begun = time.monotonic()
    result = kubikk("etcd", "restore", str(own.directory / "s.db"), "-f", str(own.file), "--yes", timeout=1500)
    assert result.returncode == 0, result.stdout
    print(f"restored onto fresh hosts in {time.monotonic() - begun:.0f} s\n{result.stdout}")
    present = _names(own, "configmap")
    assert "configmap/before" in present
    assert not {"configmap/after", "configmap/later", "configmap/last"} & present
    assert _names(own, "nodes") == {"node/cp1", "node/cp2", "node/cp3", "node/w1"}
    assert _members(own) == [("cp1", False), ("cp2", False), ("cp3", False)]
    assert until(lambda: kubikk("status", "-f", str(own.file)).returncode == 0, "all is well", within=120, every=5)
    again = kubikk("up", "-f", str(own.file), timeout=1200)
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []
