"""Kubernetes objects as kubectl gives and takes them."""

from __future__ import annotations

import json


def identity(item):
    """Name of an object as kubectl prints it, with its namespace."""
    metadata = item["metadata"]
    return "/".join(filter(None, (item["kind"].lower(), metadata.get("namespace"), metadata["name"])))


def essence(item):
    """An object without what changes by itself."""
    metadata = {
        k: v for k, v in item["metadata"].items() if k not in ("managedFields", "resourceVersion", "generation")
    }
    return dict({k: v for k, v in item.items() if k != "status"}, metadata=metadata)


def named(item):
    """What is needed of an object to find it."""
    metadata = {key: item["metadata"][key] for key in ("name", "namespace") if key in item["metadata"]}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata}


def items_of(text):
    """The objects in kubectl's JSON output: one object or a list; none where it is empty."""
    answer = json.loads(text) if text.strip() else {"items": []}
    return answer.get("items", [answer])


def listed(objects):
    """Objects as one text that kubectl reads."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def present(kubectl, objects):
    """Those of the objects that there are, as they are now."""
    return items_of(kubectl("get", "--ignore-not-found", "-o", "json", "-f", "-", stdin=listed(objects)))


def unavailable(found, names):
    """For each deployment that is not available yet, a sentence that says why.

    Args:
        found: deployments that there are.
        names: those that are wanted, each as ``namespace/name``.
    """
    reasons = []
    by_name = {"%(namespace)s/%(name)s" % item["metadata"]: item for item in found}
    for name in names:
        if name not in by_name:
            reasons.append("deployment %s does not exist" % name)
            continue
        status, wanted = by_name[name].get("status", {}), by_name[name]["spec"].get("replicas", 1)
        current = status.get("observedGeneration") == by_name[name]["metadata"]["generation"]
        if not (current and status.get("updatedReplicas", 0) == status.get("availableReplicas", 0) == wanted):
            reasons.append("%s: %d of %d pods available" % (name, status.get("availableReplicas", 0), wanted))
    return reasons


def not_ready(nodes, names, wait_ready):
    """For each node that is missing or not Ready, a sentence that says why.

    Args:
        nodes: nodes that there are.
        names: those that are wanted.
        wait_ready: whether they have to be Ready; otherwise it is enough that they are registered.
    """
    reasons = []
    found = {node["metadata"]["name"]: node for node in nodes}
    for name in names:
        if name not in found:
            reasons.append("node %s is not registered: see `journalctl -u kubelet` on that host" % name)
            continue
        conditions = {condition["type"]: condition for condition in found[name]["status"].get("conditions", [])}
        ready = conditions.get("Ready", {"status": "Unknown", "message": "its kubelet has not reported yet"})
        if wait_ready and ready["status"] != "True":
            reasons.append("node %s is not Ready: %s" % (name, ready.get("message", "")))
    return reasons
