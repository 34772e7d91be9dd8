"""What hosts are like when nothing is left to do: the next run leaves out those that are found so again.

A role's tasks cost a process on the control node each, for each host, only to find that there is nothing to do. What
they come to follows from what a run is made of (``fingerprint``) and from what ``probe`` sees of the host (its state):
where both are as they were at the end of a run that succeeded, so is the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from kubikk.inventory.writing import replace
from kubikk.operations.workspace import Workspace
from kubikk.paths import content_root

_FILE = "states.json"
_CONTENT = ("playbooks", "plugins", "roles")
_INVENTORY = ("hosts.yml", "group_vars", "host_vars", "pki")


def fingerprint(workspace: Workspace) -> str:
    """sha256 of all that a run of cluster.yml is made of: roles, the inventory, certificates, the operator's files.

    Artifacts are in it by the checksums that the inventory has; where things lie on this machine makes no difference.
    """
    digest = sha256(version("ansible-core").encode())
    for name, path in _files(workspace):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _files(workspace: Workspace) -> Iterator[tuple[str, Path]]:
    for root, names in ((content_root(), _CONTENT), (workspace.directory, _INVENTORY)):
        for name in names:
            for path in sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]:
                if path.is_file() and path.suffix != ".pyc":
                    yield str(path.relative_to(root)), path
    cloud = workspace.cluster.cloud
    yield from ((given.name, given) for given in (cloud.config, cloud.environment) if given is not None)


def known(directory: Path, made_of: str) -> dict[str, str]:
    """State by host, of those that had nothing left to do after a run that was made of the same.

    Args:
        directory: the cluster's.
        made_of: ``fingerprint``.
    """
    try:
        noted = json.loads((directory / _FILE).read_text())
        return dict(noted["hosts"]) if noted["fingerprint"] == made_of else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def note(directory: Path, made_of: str, states: Mapping[str, str]) -> None:
    """Notes hosts' states after a run that succeeded; of hosts that were not in it, what was noted before still holds.

    Args:
        directory: the cluster's.
        made_of: ``fingerprint``.
        states: by host.
    """
    hosts = {**known(directory, made_of), **states}
    text = json.dumps({"fingerprint": made_of, "hosts": hosts}, sort_keys=True)
    replace(directory / _FILE, text.encode(), 0o644)
