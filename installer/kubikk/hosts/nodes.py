"""Nodes, as the Kubernetes API tells of them."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from kubikk.cluster import Cluster
from kubikk.errors import KubikkError
from kubikk.pki import endpoints

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)


@dataclass(frozen=True)
class NodeStatus:
    """A node.

    Attributes:
        name: its name.
        ready: whether it takes pods.
        reason: why not; "" where it is ready.
        version: of its kubelet, for example v1.37.2.
        schedulable: False where it is cordoned.
        pod_cidr: addresses of its pods.
    """

    name: str
    ready: bool
    reason: str
    version: str
    schedulable: bool
    pod_cidr: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_node(item: Mapping[str, Any]) -> NodeStatus:
    """A node from the API's JSON."""
    conditions = {entry["type"]: entry for entry in item["status"].get("conditions", [])}
    ready = conditions.get("Ready", {})
    well = ready.get("status") == "True"
    return NodeStatus(
        name=item["metadata"]["name"],
        ready=well,
        reason="" if well else ready.get("message") or ready.get("reason") or "kubelet has not reported yet",
        version=item["status"].get("nodeInfo", {}).get("kubeletVersion", ""),
        schedulable=not item["spec"].get("unschedulable", False),
        pod_cidr=item["spec"].get("podCIDR", ""),
    )


def nodes(cluster: Cluster, pki: Path) -> tuple[NodeStatus, ...]:
    """Asks the API for all nodes, at whichever address answers first.

    Args:
        cluster: the cluster.
        pki: its PKI directory, for the administrator's certificate.

    Returns:
        Nodes by name.

    Raises:
        KubikkError: no API server answers.
    """
    try:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    except (OSError, ssl.SSLError) as error:
        raise KubikkError(
            "The API cannot be asked without the administrator's certificate",
            cause=f"{pki / 'admin.crt'}: {error}",
            remedy="Run `kubikk up`, which issues it.",
        ) from error
    failures = []
    # No proxy: these are addresses of the cluster's own network.
    with httpx.Client(verify=context, timeout=_TIMEOUT, trust_env=False) as client:
        for server in endpoints(cluster).values():
            try:
                answer = client.get(f"{server}/api/v1/nodes")
                answer.raise_for_status()
                return tuple(sorted(map(read_node, answer.json()["items"]), key=lambda node: node.name))
            except httpx.HTTPStatusError as error:
                failures.append(f"{server} answers {error.response.status_code}")
            except httpx.HTTPError as error:
                failures.append(f"{server}: {error or type(error).__name__}")
            except (ValueError, KeyError, TypeError) as error:
                failures.append(f"{server} answers something else: {error!r}")
    raise KubikkError("No API server answers", cause="; ".join(failures), remedy="See kube-apiserver and etcd above.")
