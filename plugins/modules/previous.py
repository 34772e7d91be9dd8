#!/usr/bin/python
"""Keep what was changed on a host, or put back what was there before."""

from __future__ import annotations

DOCUMENTATION = r"""
module: previous
short_description: Keep what was changed on a host, or put back what was there before
description:
  - M(kubikk.kubikk.component) with O(kubikk.kubikk.component#module:remember) notes what files and links were before it
    changes them. This module drops those notes where the change has proved itself, or undoes it.
author:
  - The Kubikk authors
options:
  state:
    description:
      - V(kept) drops the notes.
      - V(restored) puts binaries, units and configuration of all components that something is noted of back, restarts
        what differed, and fails always, because what was to be done was not.
    type: str
    choices: [kept, restored]
    required: true
  reason:
    description: Why it is put back, for the message.
    type: str
    default: ""
  failure:
    description: The failure that it is put back for, as data.
    type: dict
    default: {}
attributes:
  check_mode:
    support: none
    description: Nothing is noted in check mode, so there is nothing to keep or to put back.
  diff_mode:
    support: none
    description: Files may hold secrets.
"""

EXAMPLES = r"""
- name: Put back what was there before
  kubikk.kubikk.previous:
    state: restored
    reason: "{{ ansible_failed_result.msg }}"
    failure: "{{ ansible_failed_result.failure | default({}) }}"
"""

RETURN = r"""
restored:
  description: Paths that were put back.
  returned: on failure, with O(state=restored)
  type: list
  elements: str
failure:
  description: What went wrong as data, of kind C(rolled-back).
  returned: on failure, with O(state=restored)
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, previous, systemd


def restore():
    """Puts everything back, the last change first, then restarts what differed, the first first.

    Returns:
        (paths, units restarted, versions of what runs now, what does not run again or "").
    """
    found = previous.records()
    changed = {name: previous.put_back(record) for name, record in reversed(found)}
    systemd.systemctl("daemon-reload")
    restarted, running, trouble = [], {}, ""
    for name, record in found:
        running.update(previous.versions(record))
        try:
            if changed[name]:
                restarted += previous.start_again(record)
        except systemd.UnitError as error:
            trouble = trouble or str(error)
        else:
            previous.forget(name)
    return sorted(path for paths in changed.values() for path in paths), restarted, running, trouble


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["kept", "restored"], "required": True},
            "reason": {"type": "str", "default": ""},
            "failure": {"type": "dict", "default": {}},
        },
        supports_check_mode=False,
    )
    want = module.params
    try:
        with alone.alone(True):
            if want["state"] == "kept":
                for name, _ in previous.records():
                    previous.forget(name)
                module.exit_json(changed=False)
            paths, restarted, running, trouble = restore()
    except (alone.BusyError, systemd.UnitError, OSError) as error:
        module.fail_json(msg="what was there before could not be put back: %s\n%s" % (error, want["reason"]))
    failure = {
        "kind": "rolled-back",
        "seen": want["reason"],
        "of": want["failure"],
        "versions": running,
        "trouble": trouble,
    }
    text = "it was not changed: %s" % want["reason"]
    if trouble:
        text = "what was there before is back, but does not run: %s\n%s" % (trouble, want["reason"])
    module.fail_json(msg=text, restored=paths, restarted=restarted, failure=failure)


if __name__ == "__main__":
    main()
