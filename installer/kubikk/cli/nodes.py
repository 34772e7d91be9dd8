"""The table of a cluster's nodes."""

from __future__ import annotations

from kubernetes import client, config
from rich.table import Table

from kubikk.cli.console import stdout
from kubikk.operations.api import answering_context
from kubikk.operations.workspace import Workspace


def print_nodes(workspace: Workspace) -> None:
    """Prints what ``kubectl get nodes -o wide`` would, asking an API server that answers."""
    context = answering_context(workspace)
    api = client.CoreV1Api(config.new_client_from_config(str(workspace.kubeconfig), context=context))
    table = Table(box=None, pad_edge=False)
    for column in ("NAME", "STATUS", "ROLES", "VERSION", "ADDRESS", "RUNTIME"):
        table.add_column(column)
    for node in api.list_node().items:
        ready = any(c.type == "Ready" and c.status == "True" for c in node.status.conditions or [])
        prefix = "node-role.kubernetes.io/"
        roles = [label.removeprefix(prefix) for label in node.metadata.labels or {} if label.startswith(prefix)]
        address = next((a.address for a in node.status.addresses or [] if a.type == "InternalIP"), "")
        info = node.status.node_info
        table.add_row(
            node.metadata.name,
            "Ready" if ready else "NotReady",
            ",".join(roles) or "<none>",
            info.kubelet_version,
            address,
            info.container_runtime_version,
        )
    stdout().print(table)
