"""Hosts come by an edit of the cluster file and `up`, and go by `node remove`; also those that are dead for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from kubikk.error_codes import QUORUM_AT_RISK, UNREACHABLE
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import events, kubikk, runs

pytestmark = [pytest.mark.full, pytest.mark.timeout(3000)]

_KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf "
_LISTED: dict[str, Any] = {}


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A cluster of one control-plane host; two more and two workers are there for it to grow."""
    with own_lab(f"{lab_name}-members", tmp_path_factory.mktemp("members"), control_planes=3, workers=2) as own:
        _LISTED.update({host["name"]: host for host in yaml.safe_load(own.file.read_text())["hosts"]})
        _keep(own, "cp1")
        _up(own)
        yield own


def _keep(own: OwnLab, *names: str) -> None:
    def change(content: dict[str, Any]) -> None:
        content["hosts"] = [_LISTED[name] for name in names]

    own.edit(change)


def _up(own: OwnLab, *arguments: str) -> str:
    result = kubikk("up", "-f", str(own.file), *arguments, timeout=1500)
    assert result.returncode == 0, result.stdout
    return result.stdout


def _changed(own: OwnLab) -> dict[str, set[str]]:
    """The roles that changed something in the last run, by host."""
    found: dict[str, set[str]] = {}
    for event in events(runs(own.directory)[-1]):
        if event["event"] == "changed" and event.get("role"):
            found.setdefault(event["host"], set()).add(event["role"])
    return found


def _members(own: OwnLab, host: str = "cp1") -> dict[str, tuple[str, bool]]:
    listed = json.loads(
        own.run(
            host,
            "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt "
            "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key member list --write-out=json",
        )
    )["members"]
    return {member["name"]: (format(member["ID"], "x"), member.get("isLearner", False)) for member in listed}


def _nodes(own: OwnLab, host: str = "cp1") -> set[str]:
    return set(own.run(host, _KUBECTL + "get nodes -o name").split())


def _status(own: OwnLab) -> None:
    result = kubikk("status", "-f", str(own.file))
    assert result.returncode == 0, result.stdout


def test_a_worker_comes(own: OwnLab) -> None:
    _keep(own, "cp1", "w1")
    _up(own)
    # Of the others only what is asked about all nodes has anything to do: the new one's labels, CoreDNS' second pod.
    assert set(_changed(own)) <= {"w1", "cp1"}
    assert _changed(own).get("cp1", set()) <= {"addons", "cluster_ready"}
    assert _nodes(own) == {"node/cp1", "node/w1"}
    _status(own)


def test_control_plane_hosts_and_a_worker_come(own: OwnLab) -> None:
    process = own.run("cp1", "systemctl show --value -p InvocationID etcd")
    _keep(own, "cp1", "cp2", "cp3", "w1", "w2")
    said = _up(own)
    assert {name: learner for name, (_, learner) in _members(own).items()} == {"cp1": False, "cp2": False, "cp3": False}
    assert own.run("cp1", "systemctl show --value -p InvocationID etcd") == process
    for name in ("cp2", "cp3"):
        assert f"added etcd's member {name} as a learner" in str(events(runs(own.directory)[-1])), said
        assert own.run(name, "ls /etc/etcd/join.env 2>/dev/null || true") == ""
    # All API servers know all members, and w1's load balancer all API servers.
    for name in ("cp1", "cp2", "cp3"):
        assert own.run(name, "grep -o ':2379' /etc/systemd/system/kube-apiserver.service | wc -l").strip() == "3"
    for name in ("w1", "w2"):
        assert own.run(name, "grep -c '^    server ' /etc/haproxy/kubikk.cfg").strip() == "3"
    assert _nodes(own) == {"node/cp1", "node/cp2", "node/cp3", "node/w1", "node/w2"}
    _status(own)
    _up(own)
    assert _changed(own) == {}


def test_a_dead_control_plane_host_is_replaced_by_a_fresh_one_of_its_name(own: OwnLab) -> None:
    before = _members(own)
    own.run("cp1", _KUBECTL + "create configmap kept")
    own.lab.power_off("cp3")
    # One of three is dead: no other one may go.
    refused = kubikk("node", "remove", "cp2", "cp3", "--dead", "-f", str(own.file), "--yes")
    assert refused.returncode == 1
    assert "cp2 answers: it is not dead" in refused.stdout
    even = kubikk("node", "remove", "cp3", "--dead", "-f", str(own.file), "--yes")
    assert even.returncode == 1
    assert "2 hosts run etcd (cp1, cp2)" in even.stdout
    own.lab.destroy_host("cp3")
    own.lab.up(3, 2)
    _up(own)
    after = _members(own)
    assert set(after) == {"cp1", "cp2", "cp3"}
    assert after["cp3"][0] != before["cp3"][0]
    assert {name: after[name] for name in ("cp1", "cp2")} == {name: before[name] for name in ("cp1", "cp2")}
    assert not any(learner for _, learner in after.values())
    assert own.run("cp3", _KUBECTL + "get configmap kept -o name") == "configmap/kept\n"
    _status(own)


def test_a_host_that_is_off_is_not_removed_by_chance(own: OwnLab) -> None:
    own.lab.power_off("cp3")
    own.edit(lambda content: content.update(etcd={"allow_even": True}))
    silent = kubikk("node", "remove", "cp3", "-f", str(own.file), "--yes")
    assert silent.returncode == 1
    assert "cp3 does not answer" in silent.stdout
    assert UNREACHABLE.id in silent.stdout
    # Two of three run: one of those may not go.
    refused = kubikk("node", "remove", "cp2", "-f", str(own.file), "--yes")
    print(refused.stdout)
    assert refused.returncode == 1, refused.stdout
    assert "removing cp2 would cost etcd its quorum" in refused.stdout
    assert QUORUM_AT_RISK.id in refused.stdout
    assert "name: cp2" in own.file.read_text()


def test_a_control_plane_host_and_a_worker_that_are_dead_for_good_go(own: OwnLab) -> None:
    own.lab.power_off("w2")
    result = kubikk("node", "remove", "cp3", "w2", "--dead", "-f", str(own.file), "--yes", timeout=1500)
    assert result.returncode == 0, result.stdout
    print(result.stdout)
    assert set(_members(own)) == {"cp1", "cp2"}
    assert _nodes(own) == {"node/cp1", "node/cp2", "node/w1"}
    assert "cp3" not in own.file.read_text()
    assert "w2" not in own.file.read_text()
    assert list((own.directory / "pki").glob("*/cp3")) + list((own.directory / "pki").glob("*/w2")) == []
    for name in ("cp1", "cp2"):
        assert own.run(name, "grep -o ':2379' /etc/systemd/system/kube-apiserver.service | wc -l").strip() == "2"
    assert own.run("w1", "grep -c '^    server ' /etc/haproxy/kubikk.cfg").strip() == "2"
    _up(own)
    assert _changed(own) == {}
    assert _nodes(own) == {"node/cp1", "node/cp2", "node/w1"}
    _status(own)


def test_a_control_plane_host_and_a_worker_go(own: OwnLab) -> None:
    result = kubikk("node", "remove", "cp2", "w1", "-f", str(own.file), "--yes", timeout=1500)
    assert result.returncode == 0, result.stdout
    print(result.stdout)
    assert set(_members(own)) == {"cp1"}
    assert _nodes(own) == {"node/cp1"}
    for name in ("cp2", "w1"):
        assert own.run(name, "ls -d /etc/kubernetes /etc/etcd /opt/kubikk 2>/dev/null || true") == ""
        assert own.run(name, "ls -A /var/lib/kubelet") == ""  # a mount of the lab's own, which stays
        assert own.run(name, "systemctl list-unit-files --no-legend 'kube*' 'etcd*' 'containerd*' || true") == ""
    assert [host["name"] for host in yaml.safe_load(own.file.read_text())["hosts"]] == ["cp1"]
    _status(own)
    _up(own)
    assert _changed(own) == {}
    # What was removed comes back by the file, as any other host.
    _keep(own, "cp1", "w1")
    _up(own)
    assert _nodes(own) == {"node/cp1", "node/w1"}
    _status(own)


def test_members_on_hosts_of_their_own_come_and_go(own: OwnLab) -> None:
    _keep(own, "cp1", "cp2", "cp3", "w1")

    def change(content: dict[str, Any]) -> None:
        roles = {"cp1": ["control-plane", "etcd"], "cp2": ["etcd"], "cp3": ["etcd"], "w1": ["worker"]}
        content["hosts"] = [{**host, "roles": roles[host["name"]]} for host in content["hosts"]]

    own.edit(change)
    for name in ("cp3", "w2"):  # they were dead for good
        own.lab.destroy_host(name)
    own.lab.up(3, 2)
    _up(own)
    for name in ("cp2", "cp3"):
        assert f"added etcd's member {name} as a learner" in str(events(runs(own.directory)[-1]))
        assert own.run(name, "systemctl list-unit-files --no-legend 'kube*' 'containerd*' || true") == ""
    assert {name: learner for name, (_, learner) in _members(own).items()} == {"cp1": False, "cp2": False, "cp3": False}
    assert _nodes(own) == {"node/cp1", "node/w1"}
    assert own.run("cp1", "grep -o ':2379' /etc/systemd/system/kube-apiserver.service | wc -l").strip() == "3"
    _status(own)
    result = kubikk("node", "remove", "cp2", "cp3", "-f", str(own.file), "--yes", timeout=1500)
    assert result.returncode == 0, result.stdout
    assert set(_members(own)) == {"cp1"}
    for name in ("cp2", "cp3"):
        assert own.run(name, "ls -d /etc/etcd /opt/kubikk 2>/dev/null || true") == ""
        assert own.run(name, "ls -A /var/lib/etcd") == ""  # a mount of the lab's own, which stays
    _status(own)
