"""What every installer has in common, and what a command is told of the hosts."""

from __future__ import annotations

import os
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.meter import Cost
from bench.site import Site
from kubikk import artifacts
from kubikk.artifacts import catalogue
from kubikk.cluster import versions
from kubikk.progress import Silent


@dataclass(frozen=True)
class Program:
    """A command that makes a cluster.

    Attributes:
        command: program and arguments.
        environment: variables beside those of the harness.
        kubeconfig: where it leaves an administrator's kubeconfig.
        dns: whether CoreDNS belongs to the finish line.
    """

    command: Sequence[str]
    kubeconfig: Path
    environment: Mapping[str, str]
    dns: bool = True


class Installer(ABC):
    """Makes a cluster of bare hosts.

    Attributes:
        name: what it is called in results.
    """

    name: str

    def prepare(self, site: Site, control_planes: int, workers: int) -> None:  # noqa: B027 (most have nothing to do)
        """What is done beforehand and not measured; hosts are made anew afterwards."""

    @abstractmethod
    def program(self, site: Site) -> Program:
        """The command to measure; the site's hosts are bare."""

    def complete(self, site: Site, cost: Cost) -> None:  # noqa: B027 (most know nothing more)
        """Adds to a measured cost what only the installer knows."""


def kubernetes_artifacts(*components: str) -> dict[str, Path]:
    """Files of components in the versions of the default Kubernetes, by file name; obtained where they are not cached.

    Args:
        components: names of the catalogue.
    """
    known = catalogue.load().versions(versions.DEFAULT)
    wanted = [artifacts.Wanted(component=name, version=known[name], arch="amd64") for name in components]
    found = artifacts.resolve(wanted, artifacts.ArtifactSettings(source="auto"), Silent())
    return {
        name: file.path
        for artifact in found.components.values()
        for files in artifact.files.values()
        for name, file in files.items()
    }


def kubectl() -> Path:
    """kubectl of the default version."""
    return kubernetes_artifacts("kubectl")["kubectl"]


def host_environment(site: Site, work: Path) -> dict[str, str]:
    """What a command is told of the hosts, in its environment.

    Args:
        site: the hosts.
        work: directory for the files it is told of; a kubeconfig of an earlier cluster there is removed.
    """
    work.mkdir(parents=True, exist_ok=True)
    hosts = site.hosts
    config = work / "ssh_config"
    config.write_text(_ssh_config(site))
    kubeconfig = work / "kubeconfig"
    kubeconfig.unlink(missing_ok=True)
    names = {role: " ".join(host.name for host in hosts if host.role == role) for role in ("control-plane", "worker")}
    return {
        "BENCH_CONTROL_PLANES": names["control-plane"],
        "BENCH_WORKERS": names["worker"],
        "BENCH_ADDRESSES": " ".join(f"{host.name}={host.address}" for host in hosts),
        "BENCH_SSH_CONFIG": str(config),
        "BENCH_SSH_KEY": str(site.lab.key),
        "BENCH_KNOWN_HOSTS": str(site.lab.known_hosts),
        "BENCH_KUBECONFIG": str(kubeconfig),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def _ssh_config(site: Site) -> str:
    """OpenSSH's configuration: every host by its name, one connection kept open to each."""
    lines = [
        "Host *",
        "  User root",
        f"  IdentityFile {shlex.quote(str(site.lab.key))}",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {shlex.quote(str(site.lab.known_hosts))}",
        "  StrictHostKeyChecking yes",
        "  Ciphers ^aes128-gcm@openssh.com",
        "  LogLevel ERROR",
    ]
    for host in site.hosts:
        lines += [f"Host {host.name}", f"  HostName {host.address}"]
    return "\n".join(lines) + "\n"
