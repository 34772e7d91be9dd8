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
"""

import hashlib
import json
import os
import platform
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, artifacts, records
from ansible_collections.kubikk.kubikk.plugins.module_utils.distributions import OS_RELEASE, os_release

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def interfaces():
    """The host's addresses: {address: interface}."""
    done = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True)
    return {
        address["local"]: link["ifname"] for link in json.loads(done.stdout) for address in link.get("addr_info", [])
    }


def converged(act):
    """Components that are as they were left; a run that was killed and is still at work here is waited for."""
    try:
        with alone.alone(act):
            return records.converged()
    except alone.BusyError:
        return {}


def state_of(facts, address):
    """A sha256 that changes with everything that roles may make a difference of."""
    probe = dict(facts["kubikk_probe"])
    probe["interfaces"] = probe["interfaces"].get(address)
    return hashlib.sha256(json.dumps(dict(facts, kubikk_probe=probe), sort_keys=True).encode()).hexdigest()


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
    with open(OS_RELEASE) as stream:
        release = os_release(stream.read())
    cgroup = "v2" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "v1"
    probe = {
        "os": release,
        "arch": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "hostname": platform.node(),
        "kernel": platform.release(),
        "cgroup": cgroup,
        # systemd manages cgroup v2; on v1 kubelet and the runtime write to cgroupfs themselves.
        "cgroup_driver": "systemd" if cgroup == "v2" else "cgroupfs",
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 20),
        "interfaces": interfaces(),
        "exists": {path: os.path.exists(path) for path in module.params["paths"]},
    }
    facts = {
        "kubikk_probe": probe,
        "kubikk_lacking": [
            "%(component)s/%(name)s/%(sha256)s" % entry for entry in artifacts.missing(module.params["artifacts"])
        ],
        "kubikk_converged": converged(not module.check_mode),
    }
    facts["kubikk_state"] = state_of(facts, module.params["address"])
    module.exit_json(changed=False, ansible_facts=facts, state=facts["kubikk_state"])


if __name__ == "__main__":
    main()
