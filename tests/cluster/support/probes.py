"""A pod on every node that answers questions, and asks others when told to.

It runs agnhost's ``netexec``, reached through the API server's proxy: no kubectl has to be started for a question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.support.api import Api

HTTP_PORT = 8080
UDP_PORT = 8081
LABELS = {"app": "probe"}


@dataclass(frozen=True)
class Pod:
    """A running pod.

    Attributes:
        name: its name, which is its hostname, too.
        address: IPv4 address.
        node: where it runs.
    """

    name: str
    address: str
    node: str


class Probes:
    """The pods, one a node.

    Args:
        api: asked as the administrator.
        namespace: where they are.
        pods: by node.
    """

    def __init__(self, api: Api, namespace: str, pods: dict[str, Pod]) -> None:
        self._api = api
        self.namespace = namespace
        self.pods = pods

    def through(self, api: Api) -> Probes:
        """The same pods, reached through another API server."""
        return Probes(api, self.namespace, self.pods)

    def dial(self, node: str, host: str, port: int, *, protocol: str = "http", tries: int = 1) -> list[str]:
        """Lets a node's pod ask a server for its hostname.

        Args:
            node: where the asking pod is.
            host: address or name; a name is resolved in the pod.
            port: of the server, which runs netexec.
            protocol: ``http`` or ``udp``.
            tries: how many requests.

        Returns:
            The answers: the hostnames of the pods that gave them.

        Raises:
            AssertionError: a request failed.
        """
        parameters: dict[str, str | int] = {"host": host, "port": port, "protocol": protocol, "tries": tries}
        answer = json.loads(self._ask(node, "dial", request="hostname", **parameters))
        if not answer:  # netexec leaves all answers out where the last one's body was empty, as once on a busy machine.
            answer = json.loads(self._ask(node, "dial", request="hostname", **parameters))
        assert not answer.get("errors"), f"from {node} to {host}:{port} ({protocol}): {answer['errors']}"
        responses: list[str] = answer["responses"]
        return responses

    def shell(self, node: str, command: str) -> str:
        """What a command prints in a node's pod.

        Raises:
            AssertionError: it fails.
        """
        answer = json.loads(self._ask(node, "shell", cmd=command))
        assert "error" not in answer, f"on {node}: {command}: {answer}"
        return str(answer.get("output", ""))

    def _ask(self, node: str, path: str, **parameters: str | int) -> str:
        pod = self.pods[node].name
        base = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{HTTP_PORT}/proxy"
        return self._api.text(f"{base}/{path}", **parameters)


def netexec(image: str) -> dict[str, Any]:
    """A container that runs the server."""
    return {
        "name": "netexec",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["netexec", f"--http-port={HTTP_PORT}", f"--udp-port={UDP_PORT}"],
        "ports": [{"containerPort": HTTP_PORT}, {"containerPort": UDP_PORT, "protocol": "UDP"}],
        "readinessProbe": {"httpGet": {"path": "/hostname", "port": HTTP_PORT}, "periodSeconds": 1},
    }


def daemon_set(image: str) -> list[dict[str, Any]]:
    """The pods, and a ConfigMap and a Secret for them to mount."""
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "password", "secret": {"secretName": "password", "defaultMode": 0o400}},
    ]
    mounts = [
        {"name": "settings", "mountPath": "/etc/settings"},
        {"name": "password", "mountPath": "/etc/password", "readOnly": True},
    ]
    variable = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "password", "key": "word"}}}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings"},
            "data": {"greeting": "hello\nfrom a ConfigMap\n"},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password"}, "stringData": {"word": "open sesame"}},
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "probe"},
            "spec": {
                "selector": {"matchLabels": LABELS},
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {
                        "tolerations": [{"operator": "Exists"}],
                        "terminationGracePeriodSeconds": 0,
                        "containers": [{**netexec(image), "volumeMounts": mounts, "env": [variable]}],
                        "volumes": volumes,
                    },
                },
            },
        },
    ]


def service(name: str, selector: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A Service in front of the pods: port 80 for HTTP, 81 for UDP.

    Args:
        name: its name.
        selector: labels of its pods, by default all probes'.
        spec: what differs from a ClusterIP Service.
    """
    ports = [
        {"name": "http", "port": 80, "targetPort": HTTP_PORT},
        {"name": "udp", "port": 81, "targetPort": UDP_PORT, "protocol": "UDP"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": selector or LABELS, "ports": ports, **spec},
    }
