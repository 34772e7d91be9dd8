"""The finish line: every node Ready, and the cluster's DNS available."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from kubikk.errors import KubikkError

_PATIENCE = 300.0
_EVERY = 0.2


class FinishLine:
    """Looks whether a cluster is there.

    Args:
        kubectl: the program.
        kubeconfig: an administrator's; it may come into being while it is waited for.
        nodes: how many nodes there are to be.
        dns: whether to wait for the Deployment ``coredns``.
    """

    def __init__(self, kubectl: Path, kubeconfig: Path, nodes: int, *, dns: bool = True) -> None:
        self._command = [str(kubectl), "--kubeconfig", str(kubeconfig), "--request-timeout=5s", "get", "-o", "json"]
        self._kubeconfig = kubeconfig
        self._nodes = nodes
        self._dns = dns

    def wait(self) -> None:
        """Returns as soon as the cluster is there.

        Raises:
            KubikkError: it is not, after five minutes.
        """
        deadline = time.monotonic() + _PATIENCE
        while (lacking := self.lacking()) is not None:
            if time.monotonic() > deadline:
                raise KubikkError(f"the finish line was not reached in {_PATIENCE:.0f} s: {lacking}")
            time.sleep(_EVERY)

    def lacking(self) -> str | None:
        """What is still missing, or None."""
        if not self._kubeconfig.exists():
            return f"there is no {self._kubeconfig}"
        nodes = self._get("nodes")
        ready = [node["metadata"]["name"] for node in nodes if _has(node, "Ready")]
        if len(ready) < self._nodes or len(ready) < len(nodes):
            return f"{len(ready)} of {self._nodes} nodes are Ready"
        if self._dns:
            found = self._get("deployments", "--namespace=kube-system", "--field-selector=metadata.name=coredns")
            if not found or not _has(found[0], "Available"):
                return "CoreDNS is not available"
        return None

    def _get(self, *arguments: str) -> list[dict[str, Any]]:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        try:
            items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        except (ValueError, KeyError):
            return []
        return items


def _has(item: dict[str, Any], condition: str) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)
