#!/usr/bin/python
"""Join a member to a running etcd cluster, take one out of it, or defragment one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_member
short_description: Join a member to a running etcd cluster, take one out of it, or defragment one
description:
  - V(joined) runs on the new member's host. It adds it as a learner, which has no vote, starts it, and gives it its
    vote when it has all data. A member of that address whose data is gone is taken out first.
  - V(absent) runs on the host of a member that stays.
  - V(defragmented) gives space back to the file system; the member does not answer meanwhile.
author:
  - The Kubikk authors
options:
  state:
    description: What is wanted.
    type: str
    choices: [joined, absent, defragmented]
    required: true
  name:
    description: Name of the member.
    type: str
    required: true
  peer_url:
    description: Where the other members reach it.
    type: str
    default: ""
  endpoints:
    description: Client URLs of the members that stay.
    type: list
    elements: str
    default: []
  data_dir:
    description: Where the member keeps its data.
    type: path
    default: /var/lib/etcd
  environment_file:
    description: Tells etcd's unit, until the member has its vote, that it joins.
    type: path
    default: /etc/etcd/join.env
  new_cluster:
    description: Whether there may be no cluster yet; then nothing is done where no other member answers.
    type: bool
    default: false
  timeout:
    description: Seconds until the member must have all data.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Says what would be done.
"""

EXAMPLES = r"""
- name: Join the running cluster
  kubikk.kubikk.etcd_member:
    state: joined
    name: cp3
    peer_url: https://192.168.56.13:2380
    endpoints: ["https://192.168.56.11:2379", "https://192.168.56.12:2379"]
"""

RETURN = r"""
changes:
  description: What was done.
  returned: always
  type: list
  elements: str
failure:
  description: What went wrong as data, with C(kind).
  returned: on failure
  type: dict
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, failures, files, systemd
from ansible_collections.kubikk.kubikk.plugins.module_utils.etcd_snapshot import LOCAL, Etcdctl, EtcdError

# What etcd refuses for a moment only: another learner is not done, a member has just started or is catching up.
_PASSING = (
    "too many learner",
    "unhealthy cluster",
    "not enough started members",
    "in sync with leader",
    "leader changed",
    "request timed out",
    "waiting for connections to become ready",
    "context deadline exceeded",
)


def patiently(work, timeout, clock=time.monotonic, sleep=time.sleep):
    """Repeats what etcd refuses for a moment only; returns what ``work`` returns.

    Raises:
        EtcdError: time is up, or etcd refuses for another reason.
    """
    deadline = clock() + timeout
    while True:
        try:
            return work()
        except EtcdError as error:
            if clock() > deadline or not any(text in str(error) for text in _PASSING):
                raise
        sleep(0.5)


def member_id(member):
    """As etcdctl wants it."""
    return format(member["ID"], "x")


def initial_cluster(members, name, peer_url):
    """What etcd wants to know of all members, those that have not started yet included.

    Args:
        members: as etcdctl lists them.
        name: of the joining member.
        peer_url: of the joining member.
    """
    entries = []
    for member in members:
        urls = member["peerURLs"]
        called = name if peer_url in urls else member.get("name") or member_id(member)
        entries += ["%s=%s" % (called, url) for url in urls]
    return ",".join(sorted(entries))


class Membership:
    """The members of a running cluster.

    Args:
        want: the module's arguments.
        act: whether to change anything.
        etcdctl: makes an ``Etcdctl`` of endpoints.
    """

    def __init__(self, want, act, etcdctl=Etcdctl):
        self.want = want
        self.act = act
        self.changes = []
        self._make = etcdctl
        self._etcdctl = etcdctl(want["endpoints"])

    def members(self):
        """All members, as etcdctl lists them."""
        return self._etcdctl.json("member", "list")["members"]

    def own(self, members):
        """The member of our peer URL, or else of our name; None where there is none."""
        by_url = [each for each in members if self.want["peer_url"] in each["peerURLs"]]
        by_name = [each for each in members if each.get("name") == self.want["name"]]
        return next(iter(by_url + by_name), None)

    def join(self):
        """Makes this host's member one of the cluster's."""
        want = self.want
        if not self.act:
            # A bare host has no etcdctl to ask with.
            self.changes.append("join etcd as " + want["name"])
            return
        try:
            members = self.members()
        except EtcdError:
            if want["new_cluster"]:
                return
            raise
        own = self.own(members)
        data = os.path.exists(os.path.join(want["data_dir"], "member"))
        moved = own is not None and want["peer_url"] not in own["peerURLs"]
        if own is not None and (moved or (own.get("name") and not data)):
            # Its data is gone for good, or it had another address: it can never come back as what it was.
            self._require_quorum_without(own, members)
            patiently(lambda: self._etcdctl("member", "remove", member_id(own)), 60)
            self.changes.append("removed etcd's member %s, whose data is gone" % want["name"])
            own = None
        if own is None:
            add = ("member", "add", want["name"], "--learner", "--peer-urls=" + want["peer_url"])
            patiently(lambda: self._etcdctl(*add), 120)
            self.changes.append("added etcd's member %s as a learner" % want["name"])
        self._start()
        self._promote()

    def _start(self):
        want = self.want
        text = "# While this member joins a running cluster. Written by Kubikk.\nETCD_INITIAL_CLUSTER_STATE=existing\n"
        text += "ETCD_INITIAL_CLUSTER=%s\n" % initial_cluster(self.members(), want["name"], want["peer_url"])
        files.write_atomically(want["environment_file"], text.encode(), 0, 0, 0o644)
        state = systemd.show(["etcd"])["etcd"]
        if state["ActiveState"] != "active":
            systemd.restart("etcd", state["InvocationID"])

    def _promote(self):
        want = self.want
        own = self.own(self.members())
        if own.get("isLearner"):
            patiently(lambda: self._etcdctl("member", "promote", member_id(own)), want["timeout"])
            self.changes.append("etcd's member %s has its vote" % want["name"])
        files.ensure_absent(want["environment_file"], act=True)

    def _require_quorum_without(self, gone, members):
        """Refuses to take a member out where too few of the others are healthy."""
        others = [each for each in members if each["ID"] != gone["ID"] and not each.get("isLearner")]
        healthy = 0
        for member in others:
            try:
                self._make(member.get("clientURLs") or ["https://0.0.0.0:0"])("endpoint", "health", timeout=5)
                healthy += 1
            except EtcdError:
                continue
        if healthy < len(others) // 2 + 1:
            text = "etcdserver: no leader without %s: %d of the %d others are healthy"
            raise EtcdError(text % (gone.get("name"), healthy, len(others)))

    def remove(self):
        """Takes a member out; one that leads hands that over first."""
        members = self.members()
        own = self.own(members)
        if own is None:
            return
        if self.act:
            self._hand_over(own, members)
            patiently(lambda: self._etcdctl("member", "remove", member_id(own)), 60)
        self.changes.append("removed etcd's member " + (own.get("name") or self.want["name"]))

    def _hand_over(self, own, members):
        """Lets another member lead, which spares everybody an election."""
        try:
            status = self._make(own.get("clientURLs") or [""]).json("endpoint", "status", timeout=3)[0]["Status"]
        except EtcdError:
            return  # it is down: it does not lead
        heirs = [each for each in members if each["ID"] != own["ID"] and not each.get("isLearner") and each.get("name")]
        if status.get("leader") == own["ID"] and heirs:
            self._make(own["clientURLs"])("move-leader", member_id(heirs[0]))

    def defragment(self):
        """Gives space back; the database's size before and after is told."""
        local = self._make([LOCAL])

        def size():
            return local.json("endpoint", "status")[0]["Status"]["dbSize"] / 1e6

        before = size()
        if self.act:
            local("defrag", timeout=900)
        self.changes.append(
            "defragmented etcd's member %s: %.1f MB, %.1f MB before" % (self.want["name"], size(), before)
        )


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["joined", "absent", "defragmented"], "required": True},
            "name": {"type": "str", "required": True},
            "peer_url": {"type": "str", "default": ""},
            "endpoints": {"type": "list", "elements": "str", "default": []},
            "data_dir": {"type": "path", "default": "/var/lib/etcd"},
            "environment_file": {"type": "path", "default": "/etc/etcd/join.env"},
            "new_cluster": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    act = not module.check_mode
    membership = Membership(module.params, act)
    work = {"joined": membership.join, "absent": membership.remove, "defragmented": membership.defragment}
    try:
        with alone.alone(act):
            work[module.params["state"]]()
    except (EtcdError, alone.BusyError, systemd.UnitError, OSError) as error:
        module.fail_json(msg="etcd: %s" % error, failure=failures.of(error), changes=membership.changes)
    module.exit_json(changed=bool(membership.changes), changes=membership.changes)


if __name__ == "__main__":
    main()
