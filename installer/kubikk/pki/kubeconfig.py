"""The operator's kubeconfig."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from kubikk.cluster.models import Cluster
from kubikk.errors import KubikkError
from kubikk.pki import files


def endpoints(cluster: Cluster) -> dict[str, str]:
    """Where the control node reaches the API: context name -> URL, the first being the current one.

    With a load balancer on every host (``local``) there is no address for outsiders, so each control-plane host has
    a context of its own.
    """
    if cluster.api.load_balancer == "local":
        return {
            f"{cluster.name}-{host.name}": f"https://{host.address}:{cluster.api.port}"
            for host in cluster.control_plane_hosts
        }
    return {cluster.name: cluster.api_endpoint_url}


def kubeconfig(cluster: Cluster, pki: Path) -> str:
    """The kubeconfig's text, certificates and key embedded.

    Args:
        cluster: the cluster.
        pki: its PKI directory.

    Raises:
        KubikkError: the administrator's certificate is not there yet.
    """
    servers = endpoints(cluster)
    user = f"{cluster.name}-admin"
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"certificate-authority-data": _embedded(pki / "ca.crt"), "server": server}}
            for name, server in servers.items()
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _embedded(pki / "admin.crt"),
                    "client-key-data": _embedded(pki / "admin.key"),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}} for name in servers],
        "current-context": next(iter(servers)),
    }
    return yaml.safe_dump(content, sort_keys=True)


def write_kubeconfig(cluster: Cluster, pki: Path, path: Path) -> bool:
    """Writes the kubeconfig, readable by its owner only; tells whether anything changed.

    Args:
        cluster: the cluster.
        pki: its PKI directory.
        path: the file, normally ``inventory/<name>/kubeconfig``.

    Raises:
        KubikkError: the administrator's certificate is not there yet, or the file cannot be written.
    """
    text = kubeconfig(cluster, pki).encode()
    if files.read(path) == text:
        return files.close_to_others(path)
    files.write(path, text, files.SECRET)
    return True


def _embedded(path: Path) -> str:
    content = files.read(path)
    if content is None:
        raise KubikkError(
            f"{path} does not exist", remedy="Run `kubikk up` (or `kubikk inventory`), which issues certificates."
        )
    return base64.b64encode(content).decode()
