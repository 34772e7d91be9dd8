"""What an upgrade must not interrupt, and what it is to bring."""

from __future__ import annotations

from typing import Any

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.images import import_agnhost
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.probes import netexec, service


def guarded_service(old: Description, hosts: Access, control: Api, kubernetes: str) -> str:
    """Address of a Service with two pods that end as a good server does, one of which may be away at a time.

    On the first worker there is also a pod that a budget holds there.

    Args:
        old: the cluster.
        hosts: its hosts.
        control: its API.
        kubernetes: the version whose test image is used.
    """
    kubectl = Kubectl(old.program("kubectl"), old.kubeconfig)
    image = import_agnhost(old, hosts, kubernetes)
    container = netexec(image)
    # It answers on while the others learn that it is about to go.
    container["args"].append("--delay-shutdown=8")
    kubectl.apply(
        [
            _deployment("backend", 2, container),
            service("backend", {"app": "backend"}),
            _budget("backend", {"minAvailable": 1}),
            _deployment("stuck", 1, netexec(image), nodeSelector={"kubernetes.io/hostname": old.workers[0].name}),
            _budget("stuck", {"maxUnavailable": 0}),
        ]
    )
    for name in ("backend", "stuck"):
        kubectl.run("rollout", "status", f"deployment/{name}", "--timeout=120s", timeout=130)
    address = str(control.get("/api/v1/namespaces/default/services/backend")["spec"]["clusterIP"])
    for worker in old.workers:
        # kube-proxy learns of the pods a moment after they are ready.
        hosts.output(worker.name, f"curl -sSf --retry 10 --retry-connrefused http://{address}/hostname")
    return address


def _deployment(name: str, replicas: int, container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    spread["labelSelector"] = {"matchLabels": labels}
    pod = {
        "containers": [container],
        "terminationGracePeriodSeconds": 20,
        "topologySpreadConstraints": [spread],
        **spec,
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def _budget(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    body = {"selector": {"matchLabels": {"app": name}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": body}


def running_versions(hosts: Access, cluster: Description, program: str) -> dict[str, str]:
    """host -> the version that a program's process runs."""
    found = {}
    for host in cluster.hosts:
        command = f"readlink /proc/$(systemctl show --property=MainPID --value {program})/exe || true"
        if path := hosts.output(host, command):
            found[host] = path.split("/")[4] if path.startswith("/opt/kubikk/") else path
    return found
