"""What a lab remembers between runs: which hosts it has and where; what runs is always looked up, never remembered."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from kubikk.errors import KubikkError
from kubikk.lab.recipe import RELEASE

STATE_ROOT = Path("/var/lib/kubikk/lab")

_FORMAT = 1
_FILE = "lab.json"
_HOST_NAME = re.compile(r"(cp|w)([1-9]\d*)")
_MOST_CONTROL_PLANES = 30
_MOST_WORKERS = 150

Role = Literal["control-plane", "worker"]


@dataclass(frozen=True)
class HostState:
    """One host.

    Attributes:
        name: hostname, unique inside the lab: cp1, cp2, … for control planes, w1, w2, … for workers.
        role: the role in the cluster file.
        address: IPv4 address.
        uuid: 32 hexadecimal digits, the machine-id.
        base: the base tree this host's overlay lies on.
        release: Debian's code name.
    """

    name: str
    role: Role
    address: str
    uuid: str
    base: str
    release: str = RELEASE


@dataclass(frozen=True)
class LabState:
    """One lab.

    Attributes:
        name: the lab's name.
        subnet: its network, for example ``10.199.0.0/24``.
        hosts: sorted, control planes first, each kind by number.
    """

    name: str
    subnet: str
    hosts: list[HostState] = field(default_factory=list)


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Writes a file so that a reader, or a run after a crash, sees the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)


def host_names(control_planes: int, workers: int) -> list[tuple[str, Role]]:
    """Names and roles of the hosts of a lab of this size.

    Raises:
        KubikkError: there would be no control plane, or more hosts than a lab has addresses for.
    """
    if not 1 <= control_planes <= _MOST_CONTROL_PLANES or not 0 <= workers <= _MOST_WORKERS:
        raise KubikkError(
            f"A lab cannot have {control_planes} control planes and {workers} workers",
            remedy=f"Choose 1 to {_MOST_CONTROL_PLANES} control planes and 0 to {_MOST_WORKERS} workers.",
        )
    names: list[tuple[str, Role]] = [(f"cp{number}", "control-plane") for number in range(1, control_planes + 1)]
    return names + [(f"w{number}", "worker") for number in range(1, workers + 1)]


def sort_key(host: str) -> tuple[str, int]:
    """Orders host names: cp2 before cp10 before w1."""
    match = _HOST_NAME.fullmatch(host)
    return (match[1], int(match[2])) if match else (host, 0)


def save(directory: Path, state: LabState) -> None:
    """Writes the lab's record into its state directory."""
    write_atomically(directory / _FILE, json.dumps({"format": _FORMAT, **asdict(state)}, indent=2) + "\n")


def load(directory: Path) -> LabState | None:
    """The lab's record, or None where there is none (never made, or only half).

    Raises:
        KubikkError: it was written by a newer Kubikk or is no such record.
    """
    path = directory / _FILE
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise KubikkError(f"{path} belongs to root", remedy="Run the command with sudo.") from error
    except (OSError, ValueError) as error:
        raise KubikkError(f"{path} cannot be read", cause=str(error), remedy=_REMEDY) from error
    try:
        if data["format"] != _FORMAT:
            raise KubikkError(f"{path} has format {data['format']}, not {_FORMAT}", remedy=_REMEDY)
        return LabState(data["name"], data["subnet"], [_host(host) for host in data["hosts"]])
    except (KeyError, TypeError) as error:
        raise KubikkError(f"{path} is no record of a lab", cause=repr(error), remedy=_REMEDY) from error


def _host(data: dict[str, Any]) -> HostState:
    """A host as recorded, without what another Kubikk on this machine notes besides: its labs are in nobody's way."""
    return HostState(**{each.name: data[each.name] for each in fields(HostState) if each.name in data})


_REMEDY = "Take the lab down with `kubikk lab down` and make it again."


def lab_directories(state_root: Path) -> list[Path]:
    """The state directories of all labs, finished or half-made, by name."""
    if not state_root.is_dir():
        return []
    return sorted(entry for entry in state_root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
