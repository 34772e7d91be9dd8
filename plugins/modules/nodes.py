#!/usr/bin/python
"""Keep labels and taints of nodes, and wait until they are Ready."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Keep the labels and taints of Kubernetes nodes and wait until they are Ready
description:
  - Sets labels and taints through the API, because a kubelet may not give itself every label.
  - Which ones it set is kept in the node's annotation C(kubikk.io/managed), so that one that is no longer wanted is
    removed, and those that others set are left alone.
  - A node that a run cordoned and, interrupted, did not uncordon takes pods again when it is Ready.
author:
  - The Kubikk authors
options:
  kubeconfig:
    description: Kubeconfig on the host.
    type: path
    required: true
  nodes:
    description: Nodes with the labels and taints they are to have.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the node.
        type: str
        required: true
      labels:
        description: Labels the node is to have.
        type: dict
        default: {}
      taints:
        description: Taints the node is to have, each with C(key), C(effect) and perhaps C(value).
        type: list
        elements: dict
        default: []
      provider_id:
        description: What the cloud calls the machine, told to nodes that registered without it.
        type: str
        default: ""
  wait_ready:
    description: Whether to wait until all of them are Ready; otherwise only until they are registered.
    type: bool
    default: true
  timeout:
    description: Seconds to wait.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: Says which nodes would change.
  diff_mode:
    support: full
    description: Shows labels and taints before and after.
"""

EXAMPLES = r"""
- name: Mark the control plane
  kubikk.kubikk.nodes:
    kubeconfig: /etc/kubernetes/admin.conf
    nodes:
      - name: cp1
        labels: {node-role.kubernetes.io/control-plane: ""}
        taints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]
"""

RETURN = r"""
nodes:
  description: Names of nodes whose labels or taints were changed, or that take pods again.
  returned: always
  type: list
  elements: str
look:
  description: Names of the nodes, and whether they had to be Ready, so that they can be looked at again.
  returned: success
  type: dict
failure:
  description: What went wrong as data; for nodes that are not Ready their names and what their kubelets say.
  returned: on failure
  type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import api_failures
from ansible_collections.kubikk.kubikk.plugins.module_utils.cordon import is_ours, uncordon
from ansible_collections.kubikk.kubikk.plugins.module_utils.kubectl import Kubectl, KubectlError, poll
from ansible_collections.kubikk.kubikk.plugins.module_utils.objects import not_ready

MANAGED = "kubikk.io/managed"
# With it a node takes no pods until a cloud-controller-manager has initialised it.
UNINITIALISED = {"key": "node.cloudprovider.kubernetes.io/uninitialized", "value": "true", "effect": "NoSchedule"}


def taint_id(taint):
    """What tells one taint of a node from another: key and effect."""
    return "%s:%s" % (taint["key"], taint["effect"])


def patch(node, wanted):
    """The merge patch that gives a node its labels and taints, or None where it has them.

    Args:
        node: the Node object.
        wanted: dict with labels and taints, and perhaps provider_id.
    """
    metadata = node["metadata"]
    managed = json.loads(metadata.get("annotations", {}).get(MANAGED, '{"labels": [], "taints": []}'))
    labels, taints = metadata.get("labels", {}), node["spec"].get("taints", [])
    wanted_labels = {key: str(value) for key, value in wanted["labels"].items()}
    wanted_taints = {
        taint_id(taint): {k: v for k, v in taint.items() if v not in (None, "")} for taint in wanted["taints"]
    }

    label_patch = {key: value for key, value in wanted_labels.items() if labels.get(key) != value}
    label_patch.update({key: None for key in managed["labels"] if key in labels and key not in wanted_labels})
    kept = [
        taint for taint in taints if taint_id(taint) not in wanted_taints and taint_id(taint) not in managed["taints"]
    ]
    present = {taint_id(taint): taint for taint in taints}
    taints_right = all(
        present.get(key, {}).get("value", "") == taint.get("value", "") and key in present
        for key, taint in wanted_taints.items()
    ) and not any(key in present and key not in wanted_taints for key in managed["taints"])
    # kubelet says what the cloud calls the machine only as it registers; a node that was there before is told here, and
    # is then the cloud's to initialise.
    unnamed = bool(wanted.get("provider_id")) and not node["spec"].get("providerID")
    record = {"labels": sorted(wanted_labels), "taints": sorted(wanted_taints)}
    if not label_patch and taints_right and not unnamed and managed == record:
        return None
    # The resource version makes the API refuse the patch where somebody else changed the taints meanwhile.
    change = {"metadata": {"labels": label_patch, "annotations": {MANAGED: json.dumps(record, sort_keys=True)}}}
    if not taints_right or unnamed:
        change["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        change["spec"] = {"taints": kept + [wanted_taints[key] for key in sorted(wanted_taints)]}
    if unnamed:
        change["spec"]["providerID"] = wanted["provider_id"]
        if taint_id(UNINITIALISED) not in present:
            change["spec"]["taints"].append(UNINITIALISED)
    return change


def described(labels, taints):
    """Labels and taints as text, one a line."""
    lines = ["label %s=%s" % item for item in labels.items()]
    lines += ["taint %s=%s:%s" % (taint["key"], taint.get("value", ""), taint["effect"]) for taint in taints]
    return "".join(line + "\n" for line in sorted(lines))


def difference(node, change):
    """What Ansible's --diff shows of a patched node."""
    labels, taints = node["metadata"].get("labels", {}), node["spec"].get("taints", [])
    after = {key: value for key, value in dict(labels, **change["metadata"]["labels"]).items() if value is not None}
    header = "node " + node["metadata"]["name"]
    return {
        "before_header": header,
        "after_header": header,
        "before": described(labels, taints),
        "after": described(after, change.get("spec", {}).get("taints", taints)),
    }


def new_node(wanted):
    """A Node without labels and taints, as check mode takes one that is not registered yet."""
    spec = {"providerID": wanted.get("provider_id", "")}
    return {"metadata": {"name": wanted["name"], "resourceVersion": ""}, "spec": spec, "status": {}}


def fail(module, reasons, changed):
    """Ends the module where nodes are not as they should be; each reason begins with "node <name> "."""
    nodes = [dict(zip(("name", "seen"), reason.split(" ", 2)[1:])) for reason in reasons]
    text = "after %d s: %s" % (module.params["timeout"], "; ".join(reasons))
    module.fail_json(msg=text, failure={"kind": "nodes", "nodes": nodes, "seen": text}, nodes=changed)


def main():
    """Runs the module."""
    node_spec = {
        "name": {"type": "str", "required": True},
        "labels": {"type": "dict", "default": {}},
        "taints": {"type": "list", "elements": "dict", "default": []},
        "provider_id": {"type": "str", "default": ""},
    }
    module = AnsibleModule(
        argument_spec={
            "kubeconfig": {"type": "path", "required": True},
            "nodes": {"type": "list", "elements": "dict", "required": True, "options": node_spec},
            "wait_ready": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    kubectl = Kubectl(module.params["kubeconfig"])
    wanted = {node["name"]: node for node in module.params["nodes"]}
    changed, diffs = [], []
    try:
        if not module.check_mode:
            reasons = poll(lambda: not_ready(kubectl.objects("nodes"), wanted, False), module.params["timeout"])
            if reasons:
                fail(module, reasons, [])
        nodes = kubectl.objects("nodes") if kubectl.installed else []
        if module.check_mode:
            # Nodes that have not registered yet get their labels when they have.
            present = {node["metadata"]["name"] for node in nodes}
            nodes += [new_node(wanted[name]) for name in wanted if name not in present]
        for node in nodes:
            name = node["metadata"]["name"]
            change = patch(node, wanted[name]) if name in wanted else None
            if change is None:
                continue
            changed.append(name)
            diffs.append(difference(node, change))
            if not module.check_mode:
                kubectl("patch", "node", name, "--type=merge", "-p", json.dumps(change))
        reasons = []
        if not module.check_mode:
            timeout, wait_ready = module.params["timeout"], module.params["wait_ready"]
            reasons = poll(lambda: not_ready(kubectl.objects("nodes"), wanted, wait_ready), timeout)
        if not reasons:
            left = [node["metadata"]["name"] for node in nodes if node["metadata"]["name"] in wanted and is_ours(node)]
            changed += [name for name in left if name not in changed]
            for name in left if not module.check_mode else []:
                kubectl("patch", "node", name, "--type=merge", "-p", json.dumps(uncordon()))
    except KubectlError as error:
        module.fail_json(msg=str(error), failure=api_failures.of(kubectl, error), nodes=changed)
    if reasons:
        fail(module, reasons, changed)
    look = {"nodes": sorted(wanted), "wait_ready": module.params["wait_ready"]}
    module.exit_json(changed=bool(changed), nodes=changed, diff=diffs, look=look)


if __name__ == "__main__":
    main()
