#!/usr/bin/python
"""Let a cluster's traffic through the firewall that a host has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall
short_description: Let a cluster's traffic through the firewall that a host has
description:
  - Adds Kubikk's own rules to firewalld or ufw, whichever filters packets on the host, and keeps them as they should
    be. Nothing is done where neither does, and neither is turned on or off.
  - In firewalld these are a zone C(kubikk) and a policy C(kubikk-open), in ufw rules with the comment C(kubikk).
    All others are left alone.
author:
  - The Kubikk authors
options:
  sources:
    description: Addresses of the cluster's hosts, from which everything is let in.
    type: list
    elements: str
    default: []
  networks:
    description: Networks of pods, from which everything is let in, and to and from which packets are forwarded.
    type: list
    elements: str
    default: []
  ports:
    description: What is open to everybody, for example C(6443/tcp).
    type: list
    elements: str
    default: []
  state:
    description: Whether there are such rules.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Says what would change.
  diff_mode:
    support: full
    description: Shows firewalld's files before and after.
"""

EXAMPLES = r"""
- name: Let the cluster's traffic through
  kubikk.kubikk.firewall:
    sources: [10.0.0.11, 10.0.0.21]
    networks: [10.244.0.0/16]
    ports: [6443/tcp]
"""

RETURN = r"""
changes:
  description: Rules that were added and removed.
  returned: always
  type: list
  elements: str
files:
  description: Files that were written or removed.
  returned: always
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, failures, files, firewalls


def ensure(want, act):
    """Does it; returns (changes, files, diffs)."""
    changes, paths, diffs = [], [], []
    present = want["state"] == "present"
    found = firewalls.active()
    if present and found and act and not os.path.exists(firewalls.RECORD):
        # Before the first rule, so that one is never forgotten.
        os.makedirs(os.path.dirname(firewalls.RECORD), mode=0o755, exist_ok=True)
        files.write_atomically(firewalls.RECORD, b"", 0, 0, 0o644)
    if "firewalld" in found:
        texts = {firewalls.ZONE: None, firewalls.POLICY: None}
        if present:
            texts[firewalls.ZONE] = firewalls.zone(want["sources"], want["networks"])
            texts[firewalls.POLICY] = firewalls.policy(want["ports"]) if want["ports"] else None
        paths, diffs = firewalls.ensure_firewalld(texts, act)
    if "ufw" in found:
        rules = firewalls.ufw_rules(want["sources"], want["networks"], want["ports"]) if present else []
        changes = firewalls.ensure_ufw(rules, act)
    if not present and files.ensure_absent(firewalls.RECORD, act):
        paths.append(firewalls.RECORD)
    return changes, paths, diffs


def main():
    """Runs the module."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "sources": strings,
            "networks": strings,
            "ports": strings,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    act = not module.check_mode
    try:
        with alone.alone(act):
            changes, paths, diffs = ensure(module.params, act)
    except (alone.BusyError, firewalls.FirewallError, OSError) as error:
        module.fail_json(msg="firewall: %s" % error, failure=failures.of(error))
    module.exit_json(changed=bool(changes or paths), changes=changes, files=paths, diff=diffs)


if __name__ == "__main__":
    main()
