#!/usr/bin/python
"""Give an etcd member the data of a snapshot, in two steps; the data it had is kept."""

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_restore
short_description: Give an etcd member the data of a snapshot, in two steps; the data it had is kept
description:
  - V(prepared) makes the new data beside the old, while etcd runs. A snapshot that is cut off or changed is refused.
  - V(swapped) stops etcd and puts the new data in the place of the old, which is moved to C(before-restore-<stamp>) in
    the same directory and never deleted.
  - All members have to be given the same snapshot; together they are a new cluster, which knows nothing of the old
    one's members. Revisions go on far above the snapshot's, so that no client takes old data for new.
author:
  - The Kubikk authors
options:
  state:
    description: Which step.
    type: str
    choices: [prepared, swapped]
    required: true
  snapshot:
    description: The snapshot on the host; removed when the data is made.
    type: path
    default: ""
  name:
    description: Name of the member.
    type: str
    required: true
  members:
    description: All members of the new cluster, name to address.
    type: dict
    required: true
  token:
    description: Tells the new cluster from the old one.
    type: str
    required: true
  stamp:
    description: Names this restoration; the same for all members and both steps.
    type: str
    required: true
  data_dir:
    description: Where the member keeps its data.
    type: path
    default: /var/lib/etcd
  owner:
    description: User who runs etcd.
    type: str
    default: etcd
attributes:
  check_mode:
    support: full
    description: Says what would be done.
"""

EXAMPLES = r"""
- name: Make the new data
  kubikk.kubikk.etcd_restore:
    state: prepared
    snapshot: /var/lib/etcd/.snapshot
    name: cp1
    members: {cp1: 192.168.56.11}
    token: demo-20261125T015500Z
    stamp: 20261125T015500Z
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

import glob
import os
import pwd
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, etcd_snapshot, failures, files, systemd

# More than any cluster writes between a snapshot and its restoration.
BUMP = 1000000000


def prepare(want, act):
    """Makes the new data; returns what was done."""
    target = os.path.join(want["data_dir"], ".restored-" + want["stamp"])
    if not act or os.path.exists(os.path.join(target, "ready")):
        return []
    # What an interrupted restoration made.
    for left in glob.glob(os.path.join(want["data_dir"], ".restored-*")):
        shutil.rmtree(left)
    for left in glob.glob(os.path.join(want["data_dir"], ".snapshot-*")):
        if left != want["snapshot"]:
            os.unlink(left)
    try:
        make(want, target)
    except (etcd_snapshot.EtcdError, OSError):
        shutil.rmtree(target, ignore_errors=True)
        raise
    finally:
        os.unlink(want["snapshot"])
    return ["data of the snapshot for etcd's member " + want["name"]]


def make(want, target):
    """Makes a data directory of the snapshot.

    Raises:
        SnapshotError: etcd does not take it.
        OSError: there is no room.
    """
    etcd_snapshot.require_room(want["data_dir"], os.path.getsize(want["snapshot"]) // 2)
    peers = ["%s=https://%s:2380" % (name, address) for name, address in sorted(want["members"].items())]
    command = ["etcdutl", "snapshot", "restore", want["snapshot"], "--data-dir=" + target, "--name=" + want["name"]]
    command += ["--initial-cluster=" + ",".join(peers), "--initial-cluster-token=" + want["token"]]
    command += ["--initial-advertise-peer-urls=https://%s:2380" % want["members"][want["name"]]]
    command += ["--bump-revision=%d" % BUMP, "--mark-compacted"]
    try:
        etcd_snapshot.run(*command, timeout=1800)
    except etcd_snapshot.EtcdError as error:
        raise etcd_snapshot.SnapshotError(str(error)) from error
    account = pwd.getpwnam(want["owner"])
    for place, _, names in os.walk(target):
        for path in [place, *(os.path.join(place, name) for name in names)]:
            os.chown(path, account.pw_uid, account.pw_gid)
    # Without this mark it was interrupted.
    with open(os.path.join(target, "ready"), "w"):
        pass
    files.sync_directory(target)


def swap(want, act):
    """Puts the new data in the place of the old; returns what was done."""
    new = os.path.join(want["data_dir"], ".restored-" + want["stamp"])
    old = os.path.join(want["data_dir"], "before-restore-" + want["stamp"])
    member = os.path.join(want["data_dir"], "member")
    if not os.path.exists(new):
        return []
    changes = []
    if act and systemd.show(["etcd"])["etcd"]["LoadState"] != "not-found":
        systemd.systemctl("stop", "etcd.service")
    if os.path.exists(member) and not os.path.exists(os.path.join(old, "member")):
        changes.append("kept the former data in " + old)
        if act:
            os.makedirs(old, mode=0o700, exist_ok=True)
            os.rename(member, os.path.join(old, "member"))
            files.sync_directory(want["data_dir"])
    changes.append("restored etcd's member " + want["name"])
    if act:
        if not os.path.exists(member):
            os.rename(os.path.join(new, "member"), member)
            files.sync_directory(want["data_dir"])
        shutil.rmtree(new)
        files.ensure_absent("/etc/etcd/join.env", act)
    return changes


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["prepared", "swapped"], "required": True},
            "snapshot": {"type": "path", "default": ""},
            "name": {"type": "str", "required": True},
            "members": {"type": "dict", "required": True},
            "token": {"type": "str", "required": True, "no_log": False},
            "stamp": {"type": "str", "required": True},
            "data_dir": {"type": "path", "default": "/var/lib/etcd"},
            "owner": {"type": "str", "default": "etcd"},
        },
        supports_check_mode=True,
    )
    act = not module.check_mode
    try:
        with alone.alone(act):
            changes = {"prepared": prepare, "swapped": swap}[module.params["state"]](module.params, act)
    except (etcd_snapshot.EtcdError, alone.BusyError, systemd.UnitError, OSError) as error:
        module.fail_json(msg="the snapshot cannot be restored: %s" % error, failure=failures.of(error))
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
