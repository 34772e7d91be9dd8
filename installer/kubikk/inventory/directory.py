"""Where a cluster's inventory lies."""

from __future__ import annotations

from pathlib import Path

_INVENTORY = "inventory"


def directory_for(cluster_file: Path, name: str) -> Path:
    """The directory of everything that belongs to one cluster: inventory, certificates, kubeconfig, runs.

    Args:
        cluster_file: the cluster file.
        name: the cluster's name.

    Returns:
        The cluster file's own directory if that is ``inventory/<name>``, else ``inventory/<name>`` beside the file;
        absolute.
    """
    directory = cluster_file.expanduser().absolute().parent
    if directory.name == name and directory.parent.name == _INVENTORY:
        return directory
    return directory / _INVENTORY / name
