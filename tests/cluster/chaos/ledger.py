"""Data in the API that must outlive every fault."""

from __future__ import annotations

import secrets
from base64 import b64decode
from pathlib import Path

from tests.cluster.support.api import Api, tls
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

NAMESPACE = "kubikk-chaos"
_PATIENCE = 120.0


class Ledger:
    """A Secret and a ConfigMap for every round, written before its fault.

    Args:
        cluster: the cluster.
    """

    def __init__(self, cluster: Description) -> None:
        pki: Path = cluster.pki
        context = tls(pki / "ca.crt", pki / "admin")
        self._servers = [Api(cluster.api_server(host), context) for host in cluster.control_planes]
        self._nodes = {host.name for host in cluster.nodes}
        self._written: dict[str, str] = {}

    def open(self) -> None:
        """Makes the namespace, without what an earlier harness left in it."""
        self.close()
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        path = f"/api/v1/namespaces/{NAMESPACE}"
        until(lambda: self._servers[0].status(path) == 404, "the old namespace is gone", within=_PATIENCE)
        self._servers[0].post("/api/v1/namespaces", namespace)

    def close(self) -> None:
        """Deletes the namespace."""
        self._servers[0].delete(f"/api/v1/namespaces/{NAMESPACE}")

    def write(self) -> None:
        """Writes something new."""
        name, value = f"round-{len(self._written) + 1}", secrets.token_hex(16)
        metadata = {"name": name, "namespace": NAMESPACE}
        base = f"/api/v1/namespaces/{NAMESPACE}"
        common = {"apiVersion": "v1", "metadata": metadata}
        self._servers[0].post(f"{base}/secrets", {**common, "kind": "Secret", "stringData": {"value": value}})
        self._servers[0].post(f"{base}/configmaps", {**common, "kind": "ConfigMap", "data": {"value": value}})
        self._written[name] = value

    def check(self) -> None:
        """Reads all of it from every API server, and waits until all nodes are Ready.

        Raises:
            AssertionError: something is lost, or a node does not become Ready.
        """
        for server in self._servers:
            until(lambda server=server: self._complete(server), "everything written is there", within=_PATIENCE)  # type: ignore[misc]
        until(self._ready, "all nodes are Ready", within=_PATIENCE)

    def _complete(self, server: Api) -> bool:
        base = f"/api/v1/namespaces/{NAMESPACE}"
        kept = {each["metadata"]["name"]: each["data"]["value"] for each in server.items(f"{base}/secrets")}
        maps = {each["metadata"]["name"]: each.get("data", {}) for each in server.items(f"{base}/configmaps")}
        return all(
            b64decode(kept[name]).decode() == value and maps[name]["value"] == value
            for name, value in self._written.items()
        )

    def _ready(self) -> bool:
        ready = {
            node["metadata"]["name"]
            for node in self._servers[0].items("/api/v1/nodes")
            if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
        }
        return ready == self._nodes
