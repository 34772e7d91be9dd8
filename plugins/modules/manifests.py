#!/usr/bin/python
"""Apply manifests through the API and wait for deployments."""

from __future__ import annotations

DOCUMENTATION = r"""
module: manifests
short_description: Apply manifests through the Kubernetes API and wait for deployments
description:
  - Applies objects by server-side apply; nothing is written on the host.
  - Reports a change only where an object changed.
  - Then waits until the deployments named are available.
author:
  - The Kubikk authors
options:
  kubeconfig:
    description: Kubeconfig on the host.
    type: path
    required: true
  objects:
    description: Kubernetes objects, applied in this order.
    type: list
    elements: dict
    default: []
  secrets:
    description: Further objects, each as JSON text, which is in no log and no result.
    type: list
    elements: str
    default: []
  absent:
    description: Objects that are deleted where they carry the label C(app.kubernetes.io/managed-by=kubikk).
    type: list
    elements: dict
    default: []
  wait:
    description: Deployments to wait for, as C(namespace/name).
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for deployments.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: Asks the API server for a dry run. Where no kubectl is installed yet, every object counts as new.
  diff_mode:
    support: none
    description: Objects that would change are named.
"""

EXAMPLES = r"""
- name: Apply CoreDNS and wait for it
  kubikk.kubikk.manifests:
    kubeconfig: /etc/kubernetes/admin.conf
    objects: "{{ lookup('ansible.builtin.template', 'coredns.yaml.j2') | from_yaml_all | list }}"
    wait: [kube-system/coredns]
"""

RETURN = r"""
objects:
  description: Objects that were created, changed or deleted, with what was done.
  returned: always
  type: list
  elements: str
  sample: ["deployment/kube-system/coredns changed"]
look:
  description: Names of the objects and deployments, so that they can be looked at again.
  returned: success
  type: dict
failure:
  description: What went wrong as data; for deployments that are not available the pods that do not run, and why.
  returned: on failure
  type: dict
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import api_failures
from ansible_collections.kubikk.kubikk.plugins.module_utils.kubectl import Kubectl, KubectlError, poll
from ansible_collections.kubikk.kubikk.plugins.module_utils.objects import (
    essence,
    identity,
    items_of,
    listed,
    named,
    present,
    unavailable,
)

LABEL = "app.kubernetes.io/managed-by"


def apply(kubectl, objects, dry_run):
    """Applies objects; returns what was done with each that changed.

    kubectl's own word for it ("configured") cannot be used: it says so of a PodDisruptionBudget every time.
    """
    if not objects:
        return []
    if dry_run and not kubectl.installed:
        return ["%s created" % identity(item) for item in objects]
    before = {identity(item): essence(item) for item in present(kubectl, objects)}
    mode = ["--dry-run=server"] if dry_run else []
    flags = ["--server-side", "--force-conflicts", "--field-manager=kubikk", "-o", "json", "-f", "-"]
    after = items_of(kubectl("apply", *flags, *mode, stdin=listed(objects)))
    changed = [item for item in after if before.get(identity(item)) != essence(item)]
    return ["%s %s" % (identity(item), "changed" if identity(item) in before else "created") for item in changed]


def remove(kubectl, objects, dry_run):
    """Deletes those of the objects that carry our label; returns what was done with each."""
    if not objects or (dry_run and not kubectl.installed):
        return []
    ours = [item for item in present(kubectl, objects) if item["metadata"].get("labels", {}).get(LABEL) == "kubikk"]
    if ours and not dry_run:
        text = listed([named(item) for item in ours])
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=text)
    return ["%s deleted" % identity(item) for item in ours]


def awaited(kubectl, names):
    """For each deployment of these names that is not available yet, a sentence that says why."""
    wanted = [dict(zip(("namespace", "name"), name.split("/", 1))) for name in names]
    deployments = [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata} for metadata in wanted]
    return unavailable(present(kubectl, deployments), names) if names else []


def waiting_pods(pods):
    """Pods that do not run, with what they wait for: [{name, node, reason, image, seen}]."""
    found = []
    for pod in pods:
        status = pod.get("status", {})
        # Why it was not given a node, or what its containers wait for or died of.
        reasons = [
            ("", c) for c in status.get("conditions", []) if c["type"] == "PodScheduled" and c["status"] != "True"
        ]
        for container in status.get("containerStatuses", []):
            state = container.get("state", {})
            why = state.get("waiting") or state.get("terminated")
            if why and not container.get("ready"):
                reasons.append((container.get("image", ""), why))
        for image, why in reasons:
            found.append(
                {
                    "name": "%s/%s" % (pod["metadata"]["namespace"], pod["metadata"]["name"]),
                    "node": pod["spec"].get("nodeName", ""),
                    "image": image,
                    "reason": why.get("reason", ""),
                    "seen": why.get("message", ""),
                }
            )
    return found


def fail(module, kubectl, reasons, objects):
    """Ends the module where deployments are not available."""
    names = sorted({deployment.split("/", 1)[0] for deployment in module.params["wait"]})
    pods = [pod for name in names for pod in waiting_pods(kubectl.objects("pods", "-n", name))]
    lines = ["%(name)s on %(node)s: %(reason)s %(seen)s" % pod for pod in pods]
    text = "not available after %d s: %s" % (module.params["timeout"], "; ".join(reasons))
    module.fail_json(
        msg="\n".join([text, "pods that are not running:", *lines]),
        failure={"kind": "pods", "seen": text, "pods": pods},
        objects=objects,
    )


def look(params, wanted):
    """What it takes to look at the same again; each part only where this call is about it."""
    found = {"deployments": params["wait"]} if params["wait"] else {}
    if wanted or params["absent"]:
        found.update(objects=[named(item) for item in wanted], absent=[named(item) for item in params["absent"]])
    return found


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "kubeconfig": {"type": "path", "required": True},
            "objects": {"type": "list", "elements": "dict", "default": []},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "absent": {"type": "list", "elements": "dict", "default": []},
            "wait": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    kubectl = Kubectl(module.params["kubeconfig"])
    try:
        wanted = module.params["objects"] + [json.loads(text) for text in module.params["secrets"]]
        objects = apply(kubectl, wanted, module.check_mode)
        objects += remove(kubectl, module.params["absent"], module.check_mode)
        reasons = []
        if not module.check_mode:
            reasons = poll(lambda: awaited(kubectl, module.params["wait"]), module.params["timeout"])
        if reasons:
            fail(module, kubectl, reasons, objects)
    except KubectlError as error:
        module.fail_json(msg=str(error), failure=api_failures.of(kubectl, error))
    module.exit_json(changed=bool(objects), objects=objects, look=look(module.params, wanted))


if __name__ == "__main__":
    main()
