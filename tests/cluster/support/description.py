"""The cluster under test, as its inventory describes it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ClusterHost:
    """One host.

    Attributes:
        name: name in the inventory, and of the node.
        address: IPv4 address.
        variables: everything Ansible knows of it.
    """

    name: str
    address: str
    variables: dict[str, Any]

    @property
    def runtime(self) -> str:
        """The container runtime that the cluster file wants there."""
        return str(self.variables["kubikk_host"]["runtime"])


@dataclass(frozen=True)
class Description:
    """A cluster.

    Attributes:
        directory: ``inventory/<name>``.
        name: the cluster's name; a lab of that name holds its hosts.
        hosts: all hosts by name.
        groups: inventory group -> names of its hosts.
        variables: the variables all hosts share.
    """

    directory: Path
    name: str
    hosts: dict[str, ClusterHost]
    groups: dict[str, list[str]]
    variables: dict[str, Any]

    @property
    def nodes(self) -> list[ClusterHost]:
        """Hosts that run a kubelet."""
        return [self.hosts[name] for name in self.groups["k8s_cluster"]]

    @property
    def control_planes(self) -> list[ClusterHost]:
        """Hosts that run an API server."""
        return [self.hosts[name] for name in self.groups["kube_control_plane"]]

    @property
    def etcd_hosts(self) -> list[ClusterHost]:
        """Hosts that run an etcd member."""
        return [self.hosts[name] for name in self.groups["etcd"]]

    @property
    def workers(self) -> list[ClusterHost]:
        """Nodes without an API server."""
        return [host for host in self.nodes if host.name not in self.groups["kube_control_plane"]]

    @property
    def node_of_each_runtime(self) -> list[ClusterHost]:
        """For every container runtime in use, the last node that has it: a worker where there is one."""
        return list({host.runtime: host for host in sorted(self.nodes, key=lambda host: host in self.workers)}.values())

    @property
    def pki(self) -> Path:
        """Certificates and keys on this machine."""
        return self.directory / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The operator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def cluster_file(self) -> Path:
        """The lab's cluster file."""
        return self.directory / "cluster.yml"

    @property
    def api_port(self) -> int:
        """Port of the API servers."""
        return int(self.variables["kubikk_api_port"])

    def api_server(self, host: ClusterHost | None = None) -> str:
        """URL of one API server, by default the first host's."""
        return f"https://{(host or self.control_planes[0]).address}:{self.api_port}"

    def program(self, component: str) -> Path:
        """A program of this machine's architecture out of the artifact cache.

        Args:
            component: with one file of the same name, for example ``kubectl``.
        """
        arch = self.control_planes[0].variables["kubikk_host"]["arch"]
        return Path(self.variables["kubikk_artifacts"][component][arch]["files"][component]["path"])


def describe(directory: Path) -> Description:
    """Reads an inventory the way Ansible does.

    Args:
        directory: ``inventory/<name>``.

    Raises:
        LookupError: there is no cluster.
    """
    missing = [name for name in ("hosts.yml", "kubeconfig") if not (directory / name).is_file()]
    if missing:
        raise LookupError(
            f"There is no running cluster to test: {directory} has no {' and no '.join(missing)}. "
            "`make lab` makes one; --cluster-dir or $KUBIKK_CLUSTER_DIR names another."
        )
    program = Path(sys.executable).with_name("ansible-inventory")
    command = [str(program), "-i", str(directory / "hosts.yml"), "--list"]
    return described(directory, json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def described(directory: Path, listing: dict[str, Any]) -> Description:
    """A cluster from what ``ansible-inventory --list`` said of it.

    Args:
        directory: ``inventory/<name>``.
        listing: groups, and variables of hosts.
    """
    facts: dict[str, dict[str, Any]] = listing["_meta"]["hostvars"]
    groups = {name: _members(listing, name) for name in ("etcd", "kube_control_plane", "kube_node", "k8s_cluster")}
    hosts = {name: ClusterHost(name, each["kubikk_host"]["address"], each) for name, each in sorted(facts.items())}
    shared = facts[groups["kube_control_plane"][0]]
    return Description(directory.resolve(), shared["kubikk_cluster_name"], hosts, groups, shared)


def _members(listing: dict[str, Any], group: str) -> list[str]:
    entry = listing.get(group, {})
    found = set(entry.get("hosts", ()))
    for child in entry.get("children", ()):
        found |= set(_members(listing, child))
    return sorted(found)
