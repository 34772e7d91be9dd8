"""The lab's cluster file: an ordinary one, with the hosts' addresses and what restricted kernels need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from kubikk.errors import KubikkError
from kubikk.lab.host_files import OCI_RUNTIME
from kubikk.lab.state import HostState, write_atomically

FILE_NAME = "cluster.yml"

_HEADER = """\
# Cluster file of the lab; `kubikk lab up` keeps name, ssh and hosts up to date and leaves everything else alone.
"""

_KUBELET: dict[str, Any] = {
    # Hosts share the machine's swap, and cannot turn it off.
    "failSwapOn": False,
    # They share its disk, too: with most of a large one in use there is room for a lab, but by percentages each node
    # would refuse pods and remove the images that no pod uses.
    "evictionHard": {
        "memory.available": "100Mi",
        "nodefs.available": "1Gi",
        "nodefs.inodesFree": "1%",
        "imagefs.available": "1Gi",
        "imagefs.inodesFree": "1%",
    },
    "imageGCHighThresholdPercent": 100,
}


def _first_content() -> dict[str, Any]:
    """What a new lab's file has beside its hosts; each setting is one anybody may use."""
    return {
        "artifacts": {"source": "auto"},
        "components": {
            "kubelet": {"config": _KUBELET},
            # The size of the connection tracking table is the machine's.
            "kube-proxy": {"config": {"conntrack": {"maxPerCore": 0, "min": 0}}},
            # Without CAP_SYS_RESOURCE no container may lower its oom_score_adj, and every pod would fail.
            "containerd": {
                "config": {"plugins": {"io.containerd.cri.v1.runtime": {"restrict_oom_score_adj": True}}},
            },
            # The others have no such setting: a program of the lab's in front of runc sees to it.
            "cri-o": {"config": {"crio": {"runtime": {"runtimes": {"runc": {"runtime_path": OCI_RUNTIME}}}}}},
            "docker": {"config": {"default-runtime": "lab", "runtimes": {"lab": {"path": OCI_RUNTIME}}}},
        },
    }


def merge(
    present: Mapping[str, Any] | None, lab: str, hosts: Sequence[HostState], key: Path, known_hosts: Path
) -> dict[str, Any]:
    """The content a lab's file should have.

    Args:
        present: the content it has, or None for a new one; a host's labels, taints and the like are kept.
        lab: the lab's name, which is the cluster's.
        hosts: its hosts, in order.
        key: private SSH key.
        known_hosts: the hosts' keys.
    """
    content = dict(_first_content() if present is None else present)
    entries = content.pop("hosts", None)
    extras = {host.get("name"): host for host in entries or [] if isinstance(host, dict)}
    ssh = content.pop("ssh", None)
    access = {"user": "root", "key": str(key), "known_hosts": str(known_hosts)}
    own = {"name": lab, "ssh": {**(ssh if isinstance(ssh, dict) else {}), **access}}
    listed = [
        {**extras.get(host.name, {"roles": [host.role]}), "name": host.name, "address": host.address} for host in hosts
    ]
    rest = {name: value for name, value in content.items() if name not in own}
    return {**own, "hosts": [_ordered(host) for host in listed], **rest}


def _ordered(host: dict[str, Any]) -> dict[str, Any]:
    first = ("name", "address", "roles")
    return {name: host[name] for name in (*first, *(name for name in host if name not in first)) if name in host}


def write_cluster_file(directory: Path, lab: str, hosts: Sequence[HostState], key: Path, known_hosts: Path) -> Path:
    """Writes or updates ``cluster.yml``; the file keeps its bytes where nothing has to change.

    Args:
        directory: normally ``inventory/<lab>``; made if missing.
        lab: the lab's name.
        hosts: its hosts.
        key: private SSH key.
        known_hosts: the hosts' keys.

    Returns:
        The file.

    Raises:
        KubikkError: there is a file that is no YAML mapping.
    """
    path = directory / FILE_NAME
    present = None
    if path.exists():
        try:
            present = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise KubikkError(f"{path} is no YAML", cause=str(error), remedy="Mend or delete it.") from error
        if not isinstance(present, dict):
            raise KubikkError(f"{path} is no mapping", remedy="Delete it: the lab writes a new one.")
    content = merge(present, lab, hosts, key, known_hosts)
    if content != present:
        directory.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(content, sort_keys=False, width=120, allow_unicode=True)
        write_atomically(path, _HEADER + text)
    return path
