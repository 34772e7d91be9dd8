"""The hosts that are measured on: a lab, whose hosts are made anew for every first installation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubikk.errors import KubikkError
from kubikk.lab import Lab, LabHost
from kubikk.progress import Silent


@dataclass(frozen=True)
class Site:
    """Hosts, and the directory of everything that belongs to a cluster of them.

    Attributes:
        lab: the hosts.
        root: directory that ``inventory/<lab>`` lies in.
    """

    lab: Lab
    root: Path

    @property
    def directory(self) -> Path:
        """``inventory/<lab>``."""
        return self.root / "inventory" / self.lab.name

    @property
    def file(self) -> Path:
        """The cluster file."""
        return self.directory / "cluster.yml"

    @property
    def hosts(self) -> list[LabHost]:
        """All hosts, control-plane hosts first."""
        return sorted(self.lab.hosts(), key=lambda host: host.role != "control-plane")

    def fresh(self, control_planes: int, workers: int) -> None:
        """Makes all hosts anew, and forgets whatever cluster they were.

        Args:
            control_planes: number of control-plane hosts.
            workers: number of workers.
        """
        for host in self.lab.hosts():
            self.lab.destroy_host(host.name)
        self.lab.up(control_planes, workers)
        self._forget()
        self.write_file()

    def write_file(self) -> None:
        """Writes or updates the cluster file, so that it has exactly the hosts that there are."""
        self.lab.write_cluster_file(self.directory)

    def add_worker(self) -> str:
        """Boots one more worker, bare; the cluster file has it afterwards. Returns its name."""
        count = {role: sum(host.role == role for host in self.hosts) for role in ("control-plane", "worker")}
        self.lab.up(count["control-plane"], count["worker"] + 1)
        self.write_file()
        return f"w{count['worker'] + 1}"

    def remove_host(self, name: str) -> None:
        """Takes a host away, also out of the cluster file."""
        with suppress(KubikkError):  # it is gone already
            self.lab.destroy_host(name)
        self.write_file()

    def edit(self, settings: Mapping[str, Any]) -> None:
        """Merges settings into the cluster file."""
        content = yaml.safe_load(self.file.read_text())
        _merge(content, settings)
        self.file.write_text(yaml.safe_dump(content, sort_keys=False))

    def ssh(self, host: str, *command: str) -> list[str]:
        """The command line that runs a command on a host."""
        return self.lab.ssh_command(host, *command)

    def _forget(self) -> None:
        """Removes everything but the cluster file: certificates, too, are made in the time that is measured."""
        for path in sorted(self.directory.rglob("*"), reverse=True) if self.directory.exists() else ():
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def open_site(name: str, root: Path) -> Site:
    """A site by the name of its lab, whether it exists or not."""
    return Site(Lab(name, Silent()), root)


def _merge(content: dict[str, Any], settings: Mapping[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            _merge(content.setdefault(key, {}), value)
        else:
            content[key] = value
