"""etcd's members: what is made of their answers, and how many of them may be done without."""

from __future__ import annotations

from typing import Any

import pytest

from kubikk.error_codes import ETCD_NO_QUORUM, QUORUM_AT_RISK
from kubikk.errors import KubikkError
from kubikk.hosts.etcd import EtcdStatus, Member, MemberStatus, read_answers
from kubikk.hosts.ssh import Answer
from kubikk.operations.defragment import turns

from .samples import make_cluster


def etcd(members: str, well: str, learners: str = "") -> EtcdStatus:
    """A cluster: names of its members, of those that are well, of those without a vote."""
    return EtcdStatus(
        tuple(Member(f"id-{name}", name, (), name in learners.split()) for name in members.split()),
        tuple(
            MemberStatus(
                name,
                "" if name in well.split() else "it does not answer",
                f"id-{name}",
                learner=name in learners.split(),
            )
            for name in members.split()
        ),
    )


@pytest.mark.parametrize(
    ("status", "gone", "refused"),
    [
        (etcd("a b c", "a b c"), ["c"], ""),
        (etcd("a b c", "a b c"), ["b", "c"], ""),
        # The dead one: two of two are left.
        (etcd("a b c", "a b"), ["c"], ""),
        # A healthy one while another is dead: one of two would be left.
        (etcd("a b c", "a b"), ["b"], "removing b would cost etcd its quorum"),
        (etcd("a b c", "a b"), ["c", "b"], ""),
        (etcd("a b c", "a"), ["c"], "etcd has no quorum to remove a member with"),
        (etcd("a b c d e", "a b c d e"), ["d", "e"], ""),
        (etcd("a b c d e", "a b c"), ["c"], "removing c would cost etcd its quorum"),
        (etcd("a b c d e", "a b c"), ["d", "e", "c"], ""),
        # One without a vote neither helps nor hinders.
        (etcd("a b c", "a b c", learners="c"), ["c"], ""),
        (etcd("a b c d", "a b d", learners="d"), ["b"], "removing b would cost etcd its quorum"),
        (etcd("a", "a"), ["a"], "removing a would cost etcd its quorum"),
        # Without a quorum members are not known.
        (EtcdStatus((), etcd("a b c", "").hosts), ["c"], "etcd has no quorum to remove a member with"),
        # A worker.
        (etcd("a", "a"), ["w1"], ""),
    ],
)
def test_quorum(status: EtcdStatus, gone: list[str], refused: str) -> None:
    if not refused:
        status.require_quorum_without(gone)
        return
    with pytest.raises(KubikkError) as caught:
        status.require_quorum_without(gone)
    assert caught.value.message == refused
    assert caught.value.code is QUORUM_AT_RISK


@pytest.mark.parametrize(
    ("hosts", "best"),
    [
        ([MemberStatus("a", leader=True, applied=5000), MemberStatus("b", applied=4999)], "b"),
        ([MemberStatus("a", leader=True, applied=5000), MemberStatus("b", applied=100)], "a"),
        ([MemberStatus("a", leader=True), MemberStatus("b", problem="it is down")], "a"),
        ([MemberStatus("a", leader=True), MemberStatus("b", learner=True)], "a"),
    ],
)
def test_which_member_is_asked_for_a_snapshot(hosts: list[MemberStatus], best: str) -> None:
    assert EtcdStatus((), tuple(hosts)).best().host == best


def test_none_is_well() -> None:
    with pytest.raises(KubikkError) as caught:
        EtcdStatus((), (MemberStatus("a", problem="there is no leader"),)).best()
    assert caught.value.code is ETCD_NO_QUORUM
    assert caught.value.cause == "a: there is no leader"


def answer(**changed: Any) -> Answer:
    status = {
        "id": "1f",
        "leader": "1f",
        "learner": False,
        "applied": 7,
        "bytes": 10,
        "used": 5,
        "quota": 0,
        "version": "",
    }
    said = {"data": True, "members": [], "alarms": [], "snapshot_age": None, "snapshot_failed": False, "status": status}
    return Answer({**said, **changed}, 0.0, 0.0)


def test_answers() -> None:
    listed = [{"id": each, "name": name, "peers": [], "learner": False} for each, name in (("1f", "cp1"), ("3", "old"))]
    cluster = make_cluster()
    found = read_answers(
        cluster.etcd_hosts,
        {
            "cp1": answer(members=listed, alarms=[["1f", "NOSPACE"]], snapshot_failed=True),
            "cp2": answer(status={**answer().data["status"], "id": "2f", "leader": "0"}, error="etcdserver: no leader"),
            "cp3": KubikkError("cp3 does not answer"),
        },
    )
    assert [(each.host, each.problem, each.leader) for each in found.hosts] == [
        ("cp1", "", True),
        ("cp2", "etcdserver: no leader", False),
        ("cp3", "cp3 does not answer", False),
    ]
    assert [each.name for each in found.members] == ["cp1", "old"]
    assert found.problems == (
        "etcd on cp1: alarm NOSPACE",
        "etcd on cp1: its last scheduled snapshot failed (journalctl -u etcd-snapshot)",
        "etcd has a member old (3) that is on no host of the cluster file",
    )


def test_turns() -> None:
    hosts = (MemberStatus("a", leader=True), MemberStatus("b"), MemberStatus("c"))
    assert turns(EtcdStatus((), hosts)) == ["b", "c", "a"]
    with pytest.raises(KubikkError, match="not all members"):
        turns(EtcdStatus((), (*hosts, MemberStatus("d", problem="it is down"))))
