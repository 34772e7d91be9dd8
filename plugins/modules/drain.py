#!/usr/bin/python
"""Take the pods off a node, and let them come back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drain
short_description: Take the pods off a Kubernetes node, and let them come back
description:
  - Cordons a node and evicts its pods, so that PodDisruptionBudgets are respected; and the other way round.
  - A node that was cordoned before stays so in the end. The annotation C(kubikk.io/drained) tells which was not.
  - Runs where kubectl and an administrator's kubeconfig are.
author:
  - The Kubikk authors
options:
  kubeconfig:
    description: Kubeconfig on the host.
    type: path
    required: true
  node:
    description: Name of the node.
    type: str
    required: true
  state:
    description:
      - V(drained) leaves only pods of DaemonSets. Where that cannot be done the node is as it was before. A node that
        reports O(version) and O(runtime) already is left alone.
      - V(deleted) deletes the Node; what still runs on it is not waited for.
      - V(schedulable) waits until the node is Ready with O(runtime) and O(version), then lets pods come.
    type: str
    choices: [drained, schedulable, deleted]
    required: true
  runtime:
    description: How the node calls the container runtime it is to have, for example V(cri-o) or V(cri-o://1.36.3).
    type: str
    default: ""
  version:
    description: Version that kubelet is to report, for example V(v1.37.2); any where empty.
    type: str
    default: ""
  force:
    description:
      - Whether to delete, after O(timeout), pods that a PodDisruptionBudget holds back, and pods that have no
        controller and so do not come back anywhere.
    type: bool
    default: false
  timeout:
    description: Seconds to wait, for evictions or for the node.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Says what would be done, and changes nothing.
  diff_mode:
    support: none
    description: No file changes.
"""

EXAMPLES = r"""
- name: Take the pods off w1
  kubikk.kubikk.drain:
    kubeconfig: /etc/kubernetes/admin.conf
    node: w1
    state: drained
  delegate_to: cp1
"""

RETURN = r"""
changes:
  description: What was done to the node.
  returned: always
  type: list
  elements: str
failure:
  description: What went wrong as data.
  returned: on failure
  type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import api_failures
from ansible_collections.kubikk.kubikk.plugins.module_utils.cordon import cordon, is_ours, uncordon
from ansible_collections.kubikk.kubikk.plugins.module_utils.kubectl import Kubectl, KubectlError, poll


def runs(node, runtime):
    """Whether a node reports a container runtime, named with its version or without."""
    present = node["status"].get("nodeInfo", {}).get("containerRuntimeVersion", "")
    return not runtime or present == runtime or present.startswith(runtime + "://")


def not_back(node, runtime, version=""):
    """Why pods cannot come back yet; [] where they can."""
    status, name = node["status"], node["metadata"]["name"]
    said = status.get("nodeInfo", {})
    if not runs(node, runtime):
        return ["node %s still reports %s" % (name, said.get("containerRuntimeVersion", ""))]
    if version and said.get("kubeletVersion") != version:
        return ["node %s still reports kubelet %s" % (name, said.get("kubeletVersion", ""))]
    ready = [each for each in status.get("conditions", []) if each["type"] == "Ready"]
    if not ready or ready[0]["status"] != "True":
        return ["node %s is not Ready: %s" % (name, ready[0].get("message", "") if ready else "")]
    return []


def needs_draining(node, runtime, version):
    """Whether a node runs something else than it is to run; always where it is not said what."""
    return not (version and runs(node, runtime) and node["status"].get("nodeInfo", {}).get("kubeletVersion") == version)


class Node:
    """One node, asked and changed by kubectl."""

    def __init__(self, kubectl, name):
        self._kubectl = kubectl
        self._name = name

    def get(self):
        """The Node object; None where it is not registered."""
        return next((node for node in self._kubectl.objects("nodes") if node["metadata"]["name"] == self._name), None)

    def patch(self, change):
        """Applies a merge patch, unless there is none."""
        if change:
            self._kubectl("patch", "node", self._name, "--type=merge", "-p", json.dumps(change))

    def drain(self, timeout, force):
        """Evicts the node's pods; with ``force``, deletes after that time those that did not go.

        Raises:
            KubectlError: not all of them went in time.
        """
        arguments = ["--ignore-daemonsets", "--delete-emptydir-data", "--timeout=%ds" % timeout]
        try:
            self._kubectl("drain", self._name, *arguments, timeout=timeout + 30)
        except KubectlError:
            if not force:
                raise
            self._kubectl("drain", self._name, *arguments, "--disable-eviction", "--force", timeout=timeout + 30)


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "kubeconfig": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["drained", "schedulable", "deleted"], "required": True},
            "runtime": {"type": "str", "default": ""},
            "version": {"type": "str", "default": ""},
            "force": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    want = module.params
    kubectl = Kubectl(want["kubeconfig"])
    node = Node(kubectl, want["node"])
    changes = []
    try:
        found = node.get() if kubectl.installed else None
        if found is None and want["state"] in ("drained", "deleted"):
            # Not registered: there is nothing to evict, or it is gone already.
            module.exit_json(changed=False, changes=[])
        if want["state"] == "deleted":
            changes.append("deleted node " + want["node"])
            if not module.check_mode:
                # What its kubelet, being gone, does not end is ended by the pod garbage collector.
                kubectl("delete", "node", want["node"], "--wait=true", "--timeout=60s", timeout=90)
        elif want["state"] == "drained":
            if needs_draining(found, want["runtime"], want["version"]):
                changes.append("drain node " + want["node"])
                if not module.check_mode:
                    drain(module, node, found)
        elif module.check_mode:
            if found is None or not found["spec"].get("unschedulable") or is_ours(found):
                changes.append("uncordon node " + want["node"])
        elif come_back(module, node):
            changes.append("uncordon node " + want["node"])
    except KubectlError as error:
        module.fail_json(msg=str(error), failure=api_failures.of(kubectl, error))
    module.exit_json(changed=bool(changes), changes=changes)


def drain(module, node, found):
    """Cordons and drains; where that fails, the node is as it was."""
    change = cordon(found)
    node.patch(change)
    try:
        node.drain(module.params["timeout"], module.params["force"])
    except KubectlError as error:
        if change:
            node.patch(uncordon())
        name = module.params["node"]
        module.fail_json(
            msg="the pods of node %s could not be moved, and it stays as it is: %s" % (name, error),
            failure={"kind": "drain", "node": name, "seen": str(error)},
        )


def come_back(module, node):
    """Waits for the node, then lets pods come; returns whether they were kept away."""

    def reasons():
        found = node.get()
        return (
            not_back(found, module.params["runtime"], module.params["version"]) if found else ["it is not registered"]
        )

    missing = poll(reasons, module.params["timeout"])
    if missing:
        seen = "after %d s: %s" % (module.params["timeout"], "; ".join(missing))
        found = {"name": module.params["node"], "seen": seen}
        module.fail_json(msg=seen, failure={"kind": "nodes", "nodes": [found]})
    ours = is_ours(node.get())
    if ours:
        node.patch(uncordon())
    return ours


if __name__ == "__main__":
    main()
