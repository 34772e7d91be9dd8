#!/usr/bin/python
"""Take a snapshot of the etcd member on a host, verify it, and bring it to the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: etcd_snapshot
short_description: Take a snapshot of the etcd member on a host, verify it, and bring it to the control node
description:
  - The snapshot is restored into a scratch member of its own, whose hash over all keys and number of keys must be those
    of the running member at the same revision.
author:
  - The Kubikk authors
options:
  directory:
    description: Where snapshots lie on the host.
    type: path
    required: true
  keep:
    description: How many stay there, the new one included.
    type: int
    required: true
  member:
    description: Name of the member, for the file's.
    type: str
    required: true
  owner:
    description: User who gets the file.
    type: str
    default: etcd
  alone:
    description:
      - Whether the other members are lost for good. A member that does not answer is stopped and its database copied;
        what the snapshot holds is not compared with anything.
    type: bool
    default: false
  data_dir:
    description: Where the member keeps its data.
    type: path
    default: /var/lib/etcd
  fetch:
    description: Directory on the control node that the snapshot is copied to; none where empty. For the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Takes none.
"""

EXAMPLES = r"""
- name: Take a snapshot
  kubikk.kubikk.etcd_snapshot:
    directory: /var/lib/kubikk/etcd-snapshots
    keep: 7
    member: cp1
    fetch: "{{ inventory_dir }}/snapshots"
"""

RETURN = r"""
snapshot:
  description: C(file), C(member), C(time), C(revision), C(hash), C(keys), C(bytes), C(sha256), C(seconds), C(removed).
  returned: when one was taken
  type: dict
failure:
  description: What went wrong as data, with C(kind).
  returned: on failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import artifacts, etcd_snapshot, failures


def taking(*arguments, **options):
    """``etcd_snapshot.take``; whatever etcd says then, it is a snapshot that there is not."""
    try:
        return etcd_snapshot.take(*arguments, **options)
    except etcd_snapshot.EtcdError as error:
        raise etcd_snapshot.SnapshotError(str(error)) from error


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "keep": {"type": "int", "required": True},
            "member": {"type": "str", "required": True},
            "owner": {"type": "str", "default": "etcd"},
            "alone": {"type": "bool", "default": False},
            "data_dir": {"type": "path", "default": "/var/lib/etcd"},
            "fetch": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    want = module.params
    if module.check_mode:
        module.exit_json(changed=False)
    try:
        taken = taking(
            want["directory"],
            want["keep"],
            want["member"],
            owner=want["owner"],
            alone=want["alone"],
            data_dir=want["data_dir"],
        )
        taken["sha256"] = artifacts.sha256_of(taken["file"])
    except (etcd_snapshot.SnapshotError, OSError) as error:
        module.fail_json(msg="no snapshot: %s" % error, failure=failures.of(error))
    module.exit_json(changed=True, snapshot=taken, changes=["snapshot " + taken["file"]])


if __name__ == "__main__":
    main()
