"""A cluster file together with the directory that belongs to its cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubikk import cluster, inventory


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
