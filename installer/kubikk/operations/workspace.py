"""A cluster file together with the directory that belongs to its cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from kubikk import cluster, inventory
from kubikk.errors import KubikkError


@dataclass(frozen=True)
class Workspace:
    """What every operation works on.

    Attributes:
        cluster: the validated cluster file.
        file: the cluster file.
        directory: ``inventory/<name>``.
    """

    cluster: cluster.Cluster
    file: Path
    directory: Path

    @property
    def pki(self) -> Path:
        """The directory of certificates and keys."""
        return self.directory / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The operator's kubeconfig."""
        return self.directory / "kubeconfig"


def open_workspace(file: Path) -> Workspace:
    """Loads a cluster file.

    Args:
        file: the cluster file.

    Raises:
        ProblemsError: everything that is wrong with it.
    """
    loaded = cluster.load(file)
    return Workspace(loaded, file, inventory.directory_for(file, loaded.name))


def open_directory(file: Path) -> Path:
    """The directory of a cluster whose file need not be right any more: past runs can be looked at all the same.

    Args:
        file: the cluster file.

    Raises:
        KubikkError: it does not say the cluster's name.
    """
    try:
        content = yaml.safe_load(file.read_text())
        name = content["name"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise KubikkError(f"{file} does not tell the cluster's name", cause=str(error)) from error
    return inventory.directory_for(file, str(name))
