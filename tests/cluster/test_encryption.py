"""Secrets in etcd get another key while the cluster runs, and while somebody writes Secrets all along."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections import Counter

import pytest

from kubikk.pki.encryption import load_keys, newest_first, with_new_reader, write_keys
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.description import Description
from tests.cluster.support.runs import kubikk
from tests.cluster.support.uptime import measured

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

_ETCDCTL = (
    "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/pki/ca.crt --cert=/etc/etcd/pki/healthcheck.crt"
    " --key=/etc/etcd/pki/healthcheck.key get --prefix /registry/secrets/ --write-out=json"
)


def _keys_in_use(cluster: Description, access: Access) -> Counter[str]:
    """How many Secrets in etcd are marked with which key."""
    found = json.loads(access.output(cluster.etcd_hosts[0].name, _ETCDCTL)).get("kvs", [])
    marks = [base64.b64decode(each["value"]).split(b":", 5) for each in found]
    return Counter(mark[4].decode() if mark[2] == b"secretbox" else "none" for mark in marks)


class Writer(threading.Thread):
    """Makes Secrets, one after the other, and changes an old one each time."""

    def __init__(self, api: Api, namespace: str) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/secrets"
        self.over = threading.Event()
        self.words: dict[str, str] = {}
        self.trouble: list[str] = []

    def run(self) -> None:
        """Goes on until it is told to end; an API server that is being restarted is asked again."""
        while not self.over.wait(0.2):
            name, word = f"written-{len(self.words)}", secrets.token_hex(8)
            content = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"word": word}}
            try:
                self._api.post(self._path, content)
            except (AssertionError, OSError) as error:
                self.trouble.append(repr(error))
            except Exception as error:
                self.trouble.append(repr(error))
            else:
                self.words[name] = word


def _rotate(cluster: Description) -> str:
    done = kubikk("encryption", "rotate", "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout
    assert "Secrets are encrypted with" in done.stdout, done.stdout
    print(done.stdout)
    return done.stdout


def test_another_key_under_load(cluster: Description, access: Access, api: Api, namespace: str) -> None:
    file = cluster.pki / "encryption.key"
    [old] = load_keys(file)
    assert set(_keys_in_use(cluster, access)) == {old.name}
    address = cluster.api_server(cluster.control_planes[-1])
    writer = Writer(administrator(address, cluster.pki), namespace)
    host = cluster.workers[0].name
    urls = {"API": f"{cluster.variables['kubikk_api_endpoint']}/api/v1/nodes/{host}"}
    writer.start()
    try:
        with measured(access.output, host, urls) as uptime:
            said = _rotate(cluster)
    finally:
        writer.over.set()
        writer.join()
    [new] = load_keys(file)
    assert new.number == old.number + 1
    assert new.secret != old.secret
    assert new.secret not in said
    assert old.secret not in said
    assert set(_keys_in_use(cluster, access)) == {new.name}
    assert writer.words
    for each in cluster.control_planes:
        server = administrator(cluster.api_server(each), cluster.pki)
        found = {item["metadata"]["name"]: item for item in server.items(f"/api/v1/namespaces/{namespace}/secrets")}
        for name, word in writer.words.items():
            assert base64.b64decode(found[name]["data"]["word"]).decode() == word
        config = access.output(each.name, "cat /etc/kubernetes/kube-apiserver/encryption.yaml")
        assert old.secret not in config
        assert new.secret in config
    print(
        f"{len(writer.words)} Secrets written meanwhile, {len(writer.trouble)} attempts at a restarting server failed"
    )
    assert uptime["API"].failed == 0, uptime["API"]


@pytest.mark.parametrize(
    "stage", ["the reader is written, no server has it", "the writer is written, no server has it"]
)
def test_an_interrupted_change_is_gone_on_with(stage: str, cluster: Description, access: Access) -> None:
    file = cluster.pki / "encryption.key"
    keys = with_new_reader(load_keys(file))
    if stage.startswith("the writer"):
        # Every server reads the new key before any writes with it: so far a run had come.
        write_keys(file, keys)
        up = kubikk("up", "-f", str(cluster.cluster_file))
        assert up.returncode == 0, up.stdout
        keys = newest_first(keys)
    write_keys(file, keys)
    _rotate(cluster)
    newest = newest_first(keys)[0]
    assert load_keys(file) == [newest]
    assert set(_keys_in_use(cluster, access)) == {newest.name}
    again = kubikk("up", "-f", str(cluster.cluster_file))
    assert "nothing to do" in again.stdout, again.stdout
