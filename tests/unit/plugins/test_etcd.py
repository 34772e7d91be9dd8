"""etcd on a host: which snapshots stay, how a member joins, what is tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import etcd_snapshot
from ansible_collections.kubikk.kubikk.plugins.module_utils.etcd_snapshot import EtcdError, last_words, prune
from ansible_collections.kubikk.kubikk.plugins.modules.etcd_member import Membership, initial_cluster, patiently

MEMBERS: list[dict[str, Any]] = [
    {"ID": 1, "name": "cp1", "peerURLs": ["https://10.0.0.1:2380"], "clientURLs": ["https://10.0.0.1:2379"]},
    {"ID": 2, "name": "cp2", "peerURLs": ["https://10.0.0.2:2380"], "clientURLs": ["https://10.0.0.2:2379"]},
    {"ID": 255, "peerURLs": ["https://10.0.0.3:2380"], "isLearner": True},
]


def test_the_newest_snapshots_stay(tmp_path: Path) -> None:
    names = [f"etcd-2026112{day}T000000Z-cp1.db" for day in range(5)]
    for name in (*names, "mine.db", ".new.db"):
        (tmp_path / name).touch()
    assert prune(str(tmp_path), 2) == [str(tmp_path / name) for name in names[:3]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.db", *names[3:], "mine.db"]
    assert prune(str(tmp_path), 2) == []


def test_what_a_program_says() -> None:
    log = '{"level":"warn"}\nError: etcdserver: no leader\n{"level":"info"}\n'
    assert last_words(log) == "etcdserver: no leader"
    assert last_words("") == "no output"


def test_no_room(tmp_path: Path) -> None:
    etcd_snapshot.require_room(str(tmp_path), 0)
    with pytest.raises(OSError, match=r"need .* MiB") as caught:
        etcd_snapshot.require_room(str(tmp_path), 1 << 60)
    assert caught.value.errno == 28


def test_a_joining_member_is_told_of_all_others() -> None:
    expected = "cp1=https://10.0.0.1:2380,cp2=https://10.0.0.2:2380,cp3=https://10.0.0.3:2380"
    assert initial_cluster(MEMBERS, "cp3", "https://10.0.0.3:2380") == expected
    # Another one that has not started yet has no name; any will do.
    assert initial_cluster(MEMBERS, "cp2", "https://10.0.0.2:2380").startswith("cp1=https://10.0.0.1:2380,cp2=")


@pytest.mark.parametrize(
    ("name", "url", "found"),
    [
        ("cp3", "https://10.0.0.3:2380", 255),
        ("cp2", "https://10.0.0.2:2380", 2),
        # The host has got another address.
        ("cp2", "https://10.0.0.9:2380", 2),
        ("cp4", "https://10.0.0.4:2380", None),
    ],
)
def test_which_member_is_ours(name: str, url: str, found: int | None) -> None:
    want = {"name": name, "peer_url": url, "endpoints": ["https://10.0.0.1:2379"]}
    own = Membership(want, act=False).own(MEMBERS)
    assert (own and own["ID"]) == found


def test_a_plan_asks_nobody(tmp_path: Path) -> None:
    want = {"name": "cp3", "peer_url": "https://10.0.0.3:2380", "endpoints": ["https://10.0.0.1:2379"]}
    planned = Membership({**want, "data_dir": str(tmp_path)}, act=False)
    planned.join()
    assert planned.changes == ["join etcd as cp3"]


def test_what_etcd_refuses_for_a_moment_is_tried_again() -> None:
    refusals = iter(["etcdserver: can only promote a learner member which is in sync with leader", "too many learner"])
    tries = []

    def work() -> str:
        tries.append(1)
        for text in refusals:
            raise EtcdError(text)
        return "done"

    assert patiently(work, 10, sleep=lambda _: None) == "done"
    assert len(tries) == 3

    def refused() -> None:
        raise EtcdError("etcdserver: permission denied")

    with pytest.raises(EtcdError, match="permission denied"):
        patiently(refused, 10, sleep=lambda _: None)

    def never() -> None:
        raise EtcdError("etcdserver: unhealthy cluster")

    now = iter(range(100))
    with pytest.raises(EtcdError, match="unhealthy"):
        patiently(never, 10, clock=lambda: next(now), sleep=lambda _: None)
