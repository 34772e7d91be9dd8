"""etcd's members: which there are, how each is, and how many of them may be done without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.error_codes import ETCD_NO_QUORUM, QUORUM_AT_RISK
from kubikk.errors import KubikkError
from kubikk.hosts.probes import Connections, connections, on_each
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Answer

_PKI = "/etc/etcd/pki"


@dataclass(frozen=True)
class Member:
    """A member as etcd lists it.

    Attributes:
        id: hexadecimal.
        name: "" where it has never started.
        peers: URLs that the others reach it at.
        learner: whether it has no vote yet.
    """

    id: str
    name: str
    peers: tuple[str, ...]
    learner: bool


@dataclass(frozen=True)
class MemberStatus:
    """The member on one host.

    Attributes:
        host: name in the cluster file.
        problem: why it is not well; "" where it is.
        id: hexadecimal; "" where it does not answer.
        leader: whether it leads.
        learner: whether it has no vote yet.
        applied: index of the last change it has applied.
        bytes: size of its database.
        used: how much of that is in use; the rest is given back by defragmentation.
        quota: bytes above which etcd takes no more changes; 0 where unknown.
        version: of etcd.
        data: whether there is a data directory.
        alarms: its alarms, for example NOSPACE.
        snapshot_age: seconds since its last snapshot; None where it has none.
        snapshot_failed: whether the last scheduled snapshot failed.
        reachable: whether the host answers over SSH.
    """

    host: str
    problem: str = ""
    id: str = ""
    leader: bool = False
    learner: bool = False
    applied: int = 0
    bytes: int = 0
    used: int = 0
    quota: int = 0
    version: str = ""
    data: bool = False
    alarms: tuple[str, ...] = ()
    snapshot_age: float | None = None
    snapshot_failed: bool = False
    reachable: bool = True

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EtcdStatus:
    """All of etcd.

    Attributes:
        members: as etcd itself lists them; none where there is no quorum.
        hosts: the member on each etcd host, in the cluster file's order.
    """

    members: tuple[Member, ...]
    hosts: tuple[MemberStatus, ...]

    @property
    def healthy(self) -> tuple[MemberStatus, ...]:
        """Those that answer and know a leader, voters only."""
        return tuple(host for host in self.hosts if not host.problem and not host.learner)

    @property
    def problems(self) -> tuple[str, ...]:
        """What an operator should know, one sentence each."""
        found = [f"etcd on {host.host}: alarm {alarm}" for host in self.hosts for alarm in host.alarms]
        found += [
            f"etcd on {host.host}: its last scheduled snapshot failed (journalctl -u etcd-snapshot)"
            for host in self.hosts
            if host.snapshot_failed
        ]
        known = {host.id for host in self.hosts if host.id}
        silent = {host.host for host in self.hosts if not host.id}
        found += [
            f"etcd has a member {member.name or 'without name'} ({member.id}) that is on no host of the cluster file"
            for member in self.members
            if member.id not in known and member.name not in silent
        ]
        return tuple(found)

    def best(self) -> MemberStatus:
        """The member to take a snapshot of: the one that has applied most, and rather not the leader.

        Raises:
            KubikkError: none is well.
        """
        if not self.healthy:
            causes = "; ".join(f"{host.host}: {host.problem}" for host in self.hosts)
            raise KubikkError("no member of etcd is well", cause=causes, code=ETCD_NO_QUORUM)
        newest = max(host.applied for host in self.healthy)
        # What a follower applies a moment later is no lag.
        close = [host for host in self.healthy if newest - host.applied < 1000]
        return min(close, key=lambda host: (host.leader, host.host))

    def require_quorum_without(self, gone: Iterable[str]) -> None:
        """Refuses to take members away where that would cost the quorum, now or afterwards.

        Args:
            gone: names of hosts whose members are taken away, one after the other.

        Raises:
            KubikkError: it would.
        """
        voters = {member.name or member.id for member in self.members if not member.learner}
        well = {host.host for host in self.healthy} & voters
        # A removal is agreed on by the members that were there before.
        _require_quorum(voters, well, "etcd has no quorum to remove a member with")
        for name in gone:
            voters.discard(name)
            well.discard(name)
            _require_quorum(voters, well, f"removing {name} would cost etcd its quorum")


def _require_quorum(voters: set[str], well: set[str], message: str) -> None:
    needed = len(voters) // 2 + 1
    if len(well) < needed:
        names = f" ({', '.join(sorted(voters))})" if voters else ""
        cause = f"of {len(voters)} members{names} {needed} must be well, and {len(well)} would be"
        raise KubikkError(message, cause=cause, code=QUORUM_AT_RISK)


def etcd_status(cluster: Cluster, become_password: str | None = None) -> EtcdStatus:
    """Asks all members of a cluster. What does not answer is part of the result, not an error.

    Args:
        cluster: the cluster.
        become_password: sudo's password, where it wants one.
    """
    with connections(cluster, become_password) as found:
        return ask_members(cluster, found)


def ask_members(cluster: Cluster, found: Connections) -> EtcdStatus:
    """``etcd_status`` over connections that are open already."""
    data = {"pki": _PKI, "snapshots": cluster.etcd.snapshots.directory}
    program = source("etcd")
    reached = tuple(host for host in cluster.etcd_hosts if host.name in found.opened)
    answers = on_each(reached, lambda host: found.opened[host.name].run(program, data))
    answers |= {host.name: found.failed[host.name] for host in cluster.etcd_hosts if host.name in found.failed}
    return read_answers(cluster.etcd_hosts, answers)


def read_answers(hosts: Iterable[Host], answers: dict[str, Answer | KubikkError]) -> EtcdStatus:
    """etcd's status from what hosts answered.

    Args:
        hosts: etcd's.
        answers: of ``programs/etcd.py`` by host, or why there is none.
    """
    members: tuple[Member, ...] = ()
    alarms: dict[str, set[str]] = {}
    read: list[MemberStatus] = []
    for host in hosts:
        answer = answers[host.name]
        if isinstance(answer, KubikkError):
            read.append(MemberStatus(host.name, problem=answer.message, reachable=False))
            continue
        said = answer.data
        read.append(_member_status(host.name, said))
        if said["members"] and not members:
            members = tuple(
                Member(each["id"], each["name"], tuple(each["peers"]), each["learner"]) for each in said["members"]
            )
        for member, alarm in said["alarms"]:
            alarms.setdefault(member, set()).add(alarm)
    return EtcdStatus(members, tuple(replace(each, alarms=tuple(sorted(alarms.get(each.id, ())))) for each in read))


def _member_status(host: str, said: dict[str, Any]) -> MemberStatus:
    kept = {key: said[key] for key in ("data", "snapshot_age", "snapshot_failed")}
    status = said.get("status")
    if status is None:
        return MemberStatus(host, problem=said.get("error") or "it does not answer", **kept)
    same = {key: status[key] for key in ("id", "learner", "applied", "bytes", "used", "quota", "version")}
    problem = said.get("error", "") or ("" if int(status["leader"], 16) else "there is no leader")
    return MemberStatus(host, problem=problem, leader=status["leader"] == status["id"], **same, **kept)
