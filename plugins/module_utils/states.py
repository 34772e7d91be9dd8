"""What a host, and the cluster in the API, are like, in one sha256 each: equal ones mean that nothing is to be done.

The module ``probe`` and the program ``kubikk`` look with the same code, so that what one noted the other finds again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess

from . import alone, artifacts, objects, records
from .distributions import OS_RELEASE, os_release

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _sha256(data):
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _interfaces():
    """The host's addresses: {address: interface}."""
    done = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True)
    return {
        address["local"]: link["ifname"] for link in json.loads(done.stdout) for address in link.get("addr_info", [])
    }


def _converged(act, patience):
    """Components that are as they were left; a run that was killed and is still at work here is waited for."""
    try:
        with alone.alone(act, patience=patience):
            return records.converged()
    except alone.BusyError:
        return {}


def host(look, act, patience=alone.PATIENCE):
    """What roles need to know of this host, as Ansible's facts; among them its state.

    Args:
        look: {paths, artifacts, address}, as the module ``probe`` is asked for.
        act: False in check mode.
        patience: seconds to wait for another execution that changes this host.
    """
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
        "interfaces": _interfaces(),
        "exists": {path: os.path.exists(path) for path in look["paths"]},
    }
    facts = {
        "kubikk_probe": probe,
        "kubikk_lacking": [
            "%(component)s/%(name)s/%(sha256)s" % entry for entry in artifacts.missing(look["artifacts"])
        ],
        "kubikk_converged": _converged(act, patience),
    }
    # Pods' networks bring and take addresses: of all of them the state knows the host's own alone.
    own = dict(probe, interfaces=probe["interfaces"].get(look["address"]))
    facts["kubikk_state"] = _sha256(dict(facts, kubikk_probe=own))
    return facts


def cluster(kubectl, look):
    """The state of the cluster in the API; "" where something is not Ready, and has to be waited for.

    Args:
        kubectl: a ``Kubectl``.
        look: {objects, absent, deployments, nodes, wait_ready}, as ``manifests`` and ``nodes`` were asked for.

    Raises:
        KubectlError: the API does not answer.
    """
    nodes = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in look["nodes"]]
    found = objects.present(kubectl, look["objects"] + look["absent"] + nodes)
    by_kind = {kind: [item for item in found if item["kind"] == kind] for kind in ("Deployment", "Node")}
    if objects.not_ready(by_kind["Node"], look["nodes"], look["wait_ready"]):
        return ""
    if objects.unavailable(by_kind["Deployment"], look["deployments"]):
        return ""
    return _sha256([_node(item) if item["kind"] == "Node" else objects.essence(item) for item in found])


def _node(item):
    """What Kubikk has a say in of a node; others note much else there."""
    metadata = item["metadata"]
    ours = {key: value for key, value in metadata.get("annotations", {}).items() if key.startswith("kubikk.io/")}
    return [metadata["name"], metadata["uid"], metadata.get("labels", {}), ours, item["spec"]]
