"""Snapshots of etcd: what they hold is what etcd holds, they are closed to others, and they are taken on a schedule."""

from __future__ import annotations

import json
import re
import secrets
import stat
from pathlib import Path

import pytest

from kubikk.error_codes import SNAPSHOT_FAILED
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, latest
from tests.cluster.support.waiting import until

pytestmark = pytest.mark.timeout(300)

_ETCDCTL = (
    "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt "
    "--cert=/etc/etcd/pki/healthcheck.crt --key=/etc/etcd/pki/healthcheck.key "
)


def test_a_snapshot_holds_what_etcd_holds(
    cluster: Description, access: Access, api: Api, namespace: str, tmp_path: Path
) -> None:
    word = f"written-{secrets.token_hex(6)}"
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": word}})
    file = tmp_path / "snapshot.db"
    result = kubikk("etcd", "snapshot", "-f", str(cluster.cluster_file), "-o", str(file), "--json")
    assert result.returncode == 0, result.stdout
    taken = json.loads(result.stdout[result.stdout.index("\n{") :])
    assert taken["file"] == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert taken["bytes"] == file.stat().st_size
    assert word.encode() in file.read_bytes()
    # Asked here once more, past all of Kubikk's own code; keys are counted from the whole list.
    hashed = json.loads(
        access.output(taken["member"], _ETCDCTL + f"endpoint hashkv --rev={taken['revision']} --write-out=json")
    )
    assert hashed[0]["HashKV"]["hash"] == taken["hash"]
    listed = access.output(
        taken["member"], _ETCDCTL + f"get '' --prefix --keys-only --rev={taken['revision']} | grep -c ."
    )
    assert int(listed) == taken["keys"]
    assert taken["keys"] > 100
    left = access.output(taken["member"], "ls -A /var/lib/kubikk/etcd-snapshots; pgrep -xc etcd")
    assert re.fullmatch(r"(etcd-\d{8}T\d{6}Z-\S+\.db\n)+1", left), left


def test_without_a_name_it_goes_beside_the_others(cluster: Description) -> None:
    result = kubikk("etcd", "snapshot", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    files = sorted((cluster.directory / "snapshots").glob("etcd-*.db"))
    assert str(files[-1]) in result.stdout
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((cluster.directory / "snapshots").stat().st_mode) == 0o700
    assert len(files) <= 7
    assert [path for path in (cluster.directory / "snapshots").iterdir() if path not in files] == []


def test_every_member_takes_its_own_by_a_timer(cluster: Description, access: Access) -> None:
    for host in cluster.etcd_hosts:
        assert access.output(host.name, "systemctl is-active etcd-snapshot.timer") == "active"
        assert access.output(host.name, "systemctl is-enabled etcd-snapshot.timer") == "enabled"
        assert "etcd-snapshot.service" in access.output(
            host.name, "systemctl list-timers --no-legend etcd-snapshot.timer"
        )
        older = "seq --format='/var/lib/kubikk/etcd-snapshots/etcd-20200101T00000%.0fZ.db' 9"
        access.output(host.name, f"{older} | xargs -n 1 install -m 600 -o etcd /dev/null")
        access.output(host.name, "systemctl start etcd-snapshot.service")  # waits for its end
        said = access.output(host.name, "journalctl --unit=etcd-snapshot --identifier=python3 --output=cat --lines=1")
        taken = json.loads(said)
        assert access.output(host.name, f"stat -c '%U %a %s' {taken['file']}") == f"etcd 600 {taken['bytes']}"
        assert taken["keys"] > 100
        kept = access.output(host.name, "ls /var/lib/kubikk/etcd-snapshots").split()
        assert len(kept) == 7  # etcd.snapshots.keep
        assert Path(taken["file"]).name == kept[-1]
    status = json.loads(kubikk("status", "--json", "-f", str(cluster.cluster_file)).stdout)
    assert {host["host"] for host in status["etcd"]["hosts"] if host["snapshot_age"] < 300} == {
        host.name for host in cluster.etcd_hosts
    }
    assert status["etcd"]["problems"] == []


def test_a_file_that_is_cut_off_is_refused(cluster: Description, tmp_path: Path) -> None:
    whole = max((cluster.directory / "snapshots").glob("etcd-*.db"))
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole.read_bytes()[:-100])
    before = latest(cluster.directory)
    result = kubikk("etcd", "restore", str(cut), "-f", str(cluster.cluster_file), "--yes")
    assert result.returncode == 1
    assert SNAPSHOT_FAILED.id in result.stdout
    assert latest(cluster.directory) == before


def test_nobody_restores_by_accident(cluster: Description) -> None:
    whole = max((cluster.directory / "snapshots").glob("etcd-*.db"))
    before = latest(cluster.directory)
    result = kubikk("etcd", "restore", str(whole), "-f", str(cluster.cluster_file))
    assert result.returncode != 0  # standard input says nothing
    assert latest(cluster.directory) == before


def test_defragmentation(cluster: Description, api: Api) -> None:
    result = kubikk("etcd", "defrag", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    found = re.findall(r"defragmented etcd's member (\S+):", result.stdout)
    assert sorted(found) == [host.name for host in cluster.etcd_hosts]
    run = latest(cluster.directory)
    assert run is not None
    assert len(changes(run)) == len(cluster.etcd_hosts)
    status = json.loads(kubikk("status", "--json", "-f", str(cluster.cluster_file)).stdout)
    assert len([host for host in status["etcd"]["hosts"] if not host["problem"]]) == len(cluster.etcd_hosts)
    assert api.status("/readyz") == 200


def test_an_alarm_is_told_and_space_can_be_given_back(cluster: Description, access: Access, api: Api) -> None:
    host = cluster.etcd_hosts[0].name
    status = json.loads(access.output(host, _ETCDCTL + "endpoint status --write-out=json"))[0]["Status"]
    member = status["header"]["member_id"]
    # What etcd raises when its quota is used up: from now on it takes no changes.
    raised = json.dumps({"action": "ACTIVATE", "memberID": str(member), "alarm": "NOSPACE"})
    access.output(
        host,
        "curl --silent --fail --cacert /etc/etcd/pki/ca.crt --cert /etc/etcd/pki/healthcheck.crt "
        f"--key /etc/etcd/pki/healthcheck.key https://127.0.0.1:2379/v3/maintenance/alarm --data '{raised}'",
    )
    try:
        told = kubikk("status", "-f", str(cluster.cluster_file))
        assert told.returncode == 1, told.stdout
        assert f"etcd on {host}: alarm NOSPACE" in told.stdout
        given = kubikk("etcd", "defrag", "-f", str(cluster.cluster_file))
        assert given.returncode == 0, given.stdout
    finally:
        access.output(host, _ETCDCTL + "alarm disarm")
    until(lambda: kubikk("status", "-f", str(cluster.cluster_file)).returncode == 0, "all is well", within=60, every=2)
    assert api.status("/readyz") == 200
