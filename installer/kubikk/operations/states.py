"""What hosts and the cluster are like when nothing is left to do: the next run leaves out what is found so again.

To find that out by roles costs a process on the control node for each task and host. What they come to follows from
what a run is made of (``Recipe``) and from what there is (a sha256 of what one look sees): where both are as they were
at the end of a run that succeeded, so is the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kubikk.ansible.summary import Summary
from kubikk.hosts.looks import Look, look_at
from kubikk.inventory.writing import replace
from kubikk.operations.workspace import Workspace
from kubikk.paths import content_root
from kubikk.pki.leaves import HOST_DIRECTORIES

_FILE = "states.json"
_CONTENT = ("playbooks", "plugins", "roles")
# Groups whose members all hosts know of; of others, a host only knows whether it is in them.
_KNOWN_TO_ALL = ("etcd", "kube_control_plane")
_NO_LOOK: dict[str, Any] = {"objects": [], "absent": [], "deployments": [], "nodes": [], "wait_ready": True}


@dataclass(frozen=True)
class Recipe:
    """A sha256 of all that a run of cluster.yml is made of: roles, the inventory, certificates, the operator's files.

    Artifacts are in it by the checksums that the inventory has; where things lie on this machine makes no difference.

    Attributes:
        cluster: of everything.
        hosts: of what concerns a host, by host: a worker more makes no difference to the others.
    """

    cluster: str
    hosts: Mapping[str, str]


def recipe(workspace: Workspace) -> Recipe:
    """What a run of cluster.yml would be made of now."""
    cluster = workspace.cluster
    groups = {
        "etcd": cluster.etcd_hosts,
        "kube_control_plane": cluster.control_plane_hosts,
        "kube_node": cluster.worker_hosts,
    }
    members = {group: sorted(host.name for host in hosts) for group, hosts in groups.items()}
    everybodys = [(group, json.dumps(members[group]).encode()) for group in _KNOWN_TO_ALL]
    shared = _digest([("ansible-core", version("ansible-core").encode()), *everybodys, *_common_files(workspace)])
    hosts = {}
    for name in (host.name for host in cluster.hosts):
        own = _read(
            workspace.directory, (f"host_vars/{name}.yml", *(f"pki/{kind}/{name}" for kind in HOST_DIRECTORIES))
        )
        part_of = json.dumps([group for group, names in members.items() if name in names])
        hosts[name] = _digest([("shared", shared.encode()), ("groups", part_of.encode()), *own])
    return Recipe(_digest([("hosts", json.dumps(hosts, sort_keys=True).encode())]), hosts)


def _digest(parts: list[tuple[str, bytes]]) -> str:
    digest = sha256()
    for name, content in parts:
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _common_files(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    yield from _read(content_root(), _CONTENT)
    directory = workspace.directory
    pki = directory / "pki"
    entries = sorted(pki.iterdir()) if pki.is_dir() else []
    yield from _read(directory, ("group_vars", *(f"pki/{e.name}" for e in entries if e.name not in HOST_DIRECTORIES)))
    cloud = workspace.cluster.cloud
    yield from ((given.name, given.read_bytes()) for given in (cloud.config, cloud.environment) if given is not None)


def _read(root: Path, names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Files, and those in directories; a name that there is not is left out."""
    for name in names:
        for path in sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path.relative_to(root)), path.read_bytes()


def known(directory: Path, made_of: Recipe) -> dict[str, str]:
    """State by host, of those that had nothing left to do after a run that was made of the same.

    Args:
        directory: the cluster's.
        made_of: ``recipe``.
    """
    return {name: entry["state"] for name, entry in _of_the_same(_noted(directory), made_of).items()}


def as_left(workspace: Workspace, made_of: Recipe, become_password: str | None) -> dict[str, Look] | None:
    """Looks whether all hosts and the cluster are as a run left them that was made of the same.

    A firewall that is told to let the cluster through is seen to in every run: others may write its rules, too.

    Args:
        workspace: the cluster and its directory.
        made_of: ``recipe``.
        become_password: sudo's password, where it wants one.

    Returns:
        What was seen; None where something is not so, or was not noted.
    """
    noted = _noted(workspace.directory)
    api, entries = noted.get("cluster", {}), _of_the_same(noted, made_of)
    if (
        api.get("made_of") != made_of.cluster
        or entries.keys() != made_of.hosts.keys()
        or workspace.cluster.network.firewall == "open"
    ):
        return None
    looks = look_at(
        workspace.cluster, {name: entry["look"] for name, entry in entries.items()}, api["look"], become_password
    )
    same = all(name in looks and looks[name].state == entry["state"] for name, entry in entries.items())
    return looks if same and any(look.cluster == api["state"] for look in looks.values()) else None


def note(workspace: Workspace, made_of: Recipe, summary: Summary, become_password: str | None) -> dict[str, Look]:
    """Looks at hosts after a run that succeeded, and notes what is seen; of others, what was noted before still holds.

    Args:
        workspace: the cluster and its directory.
        made_of: ``recipe``.
        summary: of the run: it knows what there is to look at.
        become_password: sudo's password, where it wants one.

    Returns:
        What was seen.
    """
    ran = {name: host for name, host in summary.hosts.items() if host.look}
    # Where the first look was the only execution, it is what there is to know.
    seen = {name: host.state for name, host in ran.items() if host.executions == 1}
    # A run of some hosts says nothing of the cluster.
    api = {**_NO_LOOK, **summary.look} if ran.keys() == made_of.hosts.keys() else None
    others = {name: host.look for name, host in ran.items() if name not in seen}
    looks = look_at(workspace.cluster, others, api, become_password)
    seen |= {name: look.state for name, look in looks.items() if look.state}
    noted = _noted(workspace.directory)
    entries = noted.get("hosts", {}) | {
        name: {"made_of": made_of.hosts[name], "state": state, "look": ran[name].look} for name, state in seen.items()
    }
    noted["hosts"] = {name: entry for name, entry in entries.items() if name in made_of.hosts}
    for state in (look.cluster for look in looks.values() if look.cluster):
        noted["cluster"] = {"made_of": made_of.cluster, "state": state, "look": api}
    replace(workspace.directory / _FILE, json.dumps(noted, sort_keys=True).encode(), 0o600)
    return looks


def _of_the_same(noted: Mapping[str, Any], made_of: Recipe) -> dict[str, dict[str, Any]]:
    hosts = noted.get("hosts", {})
    return {name: entry for name, entry in hosts.items() if entry["made_of"] == made_of.hosts.get(name)}


def _noted(directory: Path) -> dict[str, Any]:
    """What was noted; nothing where there is no file, or it is not what ``note`` writes."""
    try:
        noted = json.loads((directory / _FILE).read_text())
        entries = [*noted["hosts"].values(), *([noted["cluster"]] if "cluster" in noted else [])]
        whole = all(entry.keys() >= {"made_of", "state", "look"} for entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return dict(noted) if whole else {}
