"""Labs that a test makes for itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubikk.lab import Lab
from kubikk.lab.recipe import RELEASE
from kubikk.progress import Silent


@dataclass(frozen=True)
class OwnLab:
    """Hosts without a cluster yet, and a cluster file for them.

    Attributes:
        lab: the hosts.
        file: the cluster file; what belongs to the cluster lies in its directory.
    """

    lab: Lab
    file: Path

    @property
    def directory(self) -> Path:
        """``inventory/<name>``."""
        return self.file.parent

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Changes the cluster file."""
        content = yaml.safe_load(self.file.read_text())
        change(content)
        self.file.write_text(yaml.safe_dump(content, sort_keys=False))

    def run(self, host: str, command: str) -> str:
        """What a command prints on a host, where root logs in with the lab's own key."""
        result = subprocess.run(
            self.lab.ssh_command(host, command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert result.returncode == 0, f"{host}: {command}: {result.stdout}{result.stderr}"
        return result.stdout


@contextmanager
def own_lab(
    name: str, directory: Path, *, control_planes: int, workers: int, release: str = RELEASE
) -> Iterator[OwnLab]:
    """Boots bare hosts, and removes every trace of them afterwards.

    Args:
        name: of the lab; what an earlier test of this name left behind is removed first.
        directory: an empty one.
        control_planes: number of control-plane hosts.
        workers: number of workers.
        release: Debian's code name.
    """
    lab = Lab(name, Silent())
    lab.down()
    try:
        lab.up(control_planes, workers, release)
        yield OwnLab(lab, lab.write_cluster_file(directory / "inventory" / name))
    finally:
        lab.down()
