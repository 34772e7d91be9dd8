"""From a cluster to the files of its inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.inventory.connection import connection_variables
from kubikk.inventory.rendering import render
from kubikk.inventory.variables import common_variables, host_variables
from kubikk.inventory.writing import write

_PUBLIC = 0o644
_PRIVATE = 0o600


@dataclass(frozen=True)
class Inventory:
    """An Ansible inventory as data.

    Attributes:
        cluster: name of the cluster.
        hosts: content of ``hosts.yml``.
        common: variables of all hosts.
        per_host: variables by host.
    """

    cluster: str
    hosts: Mapping[str, Any]
    common: Mapping[str, Any]
    per_host: Mapping[str, Mapping[str, Any]]

    def files(self) -> dict[str, tuple[str, int]]:
        """Text and mode of each file, by its path relative to the inventory's directory."""
        return {
            "hosts.yml": (render(self.hosts, self.cluster), _PUBLIC),
            # Settings of components may hold credentials, such as those of a registry.
            "group_vars/all.yml": (render(self.common, self.cluster), _PRIVATE),
            **{
                f"host_vars/{name}.yml": (render(variables, self.cluster), _PUBLIC)
                for name, variables in sorted(self.per_host.items())
            },
        }

    def write(self, directory: Path) -> list[Path]:
        """Writes what differs, each file at once or not at all, and removes the variables of hosts that are gone.

        Args:
            directory: the inventory's, made if missing; see ``directory_for``.

        Returns:
            Files that were written or removed.

        Raises:
            KubikkError: the directory cannot be written.
        """
        return write(self.files(), directory)


def build(cluster: Cluster, artifacts: Mapping[str, Any]) -> Inventory:
    """The inventory of a cluster; the same cluster and artifacts give the same inventory.

    Args:
        cluster: the cluster.
        artifacts: by component, as ``ResolvedArtifacts.as_variables()`` gives them.
    """
    return Inventory(
        cluster=cluster.name,
        hosts=_hosts(cluster),
        common=common_variables(cluster, artifacts),
        per_host={host.name: host_variables(cluster, host) for host in cluster.hosts},
    )


def _hosts(cluster: Cluster) -> dict[str, Any]:
    return {
        "all": {
            "hosts": {host.name: connection_variables(cluster.connection(host)) for host in cluster.hosts},
            "children": {
                "etcd": _group(cluster.etcd_hosts),
                "kube_control_plane": _group(cluster.control_plane_hosts),
                "kube_node": _group(cluster.worker_hosts),
                "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}},
                # Filled during a run.
                "runtime_change": {"hosts": {}},
                "deselected": {"hosts": {}},
                "converged": {"hosts": {}},
            },
        }
    }


def _group(hosts: Iterable[Host]) -> dict[str, Any]:
    return {"hosts": {host.name: {} for host in hosts}}
