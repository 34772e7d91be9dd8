#!/usr/bin/python
"""What roles need to know of a host, in one execution."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Tell what roles need to know of a host
description:
  - Takes the place of fact gathering, which costs seconds per host for hundreds of facts that nobody reads.
author:
  - The Kubikk authors
options:
  paths:
    description: Paths whose existence is wanted.
    type: list
    elements: path
    default: []
  artifacts:
    description: Binaries and images, to tell which of them the host lacks; as of M(kubikk.kubikk.component).
    type: list
    elements: dict
    default: []
  address:
    description: The host's own address; of the others, which pods' networks bring and take, the state does not depend.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Probe the host
  kubikk.kubikk.probe:
    paths: [/run/systemd/resolve/resolv.conf]
"""

RETURN = r"""
ansible_facts:
  description:
    - The fact C(kubikk_probe).
    - The fact C(kubikk_lacking), component, name and sha256 of each file that the host lacks, with slashes between.
    - The fact C(kubikk_converged), components that are found as their last call left them.
    - The fact C(kubikk_state), a sha256 of all that.
  returned: always
  type: dict
state:
  description: The same as the fact C(kubikk_state).
  returned: always
  type: str
look:
  description: What was asked for, so that it can be looked at again in the same way.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import records, states


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path", "default": []},
            "artifacts": {"type": "list", "elements": "dict", "default": []},
            "address": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    look = {
        "paths": module.params["paths"],
        "artifacts": [records.without_paths(each) for each in module.params["artifacts"]],
        "address": module.params["address"],
    }
    facts = states.host(look, not module.check_mode)
    module.exit_json(changed=False, ansible_facts=facts, state=facts["kubikk_state"], look=look)


if __name__ == "__main__":
    main()
