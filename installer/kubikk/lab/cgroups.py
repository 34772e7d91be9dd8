"""Each host's place in the machine's cgroups: one group of its own in every hierarchy, and what runs in it.

A host's processes are found through its groups, whose names follow from the host's name: no process id is recorded,
so none can be stale.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubikk.errors import KubikkError

_CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")
_SYSTEMD_RUNS = Path("/run/systemd/system")
_NEEDED_V1 = ("name=systemd", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids")


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy.

    Attributes:
        controllers: of v1, for example ``("cpu", "cpuacct")`` or ``("name=systemd",)``; empty for v2.
        mount: where it is mounted.
        present: this process's group in it, as a directory.
    """

    controllers: tuple[str, ...]
    mount: Path
    present: Path


def hierarchies(mountinfo: str, own_cgroups: str) -> list[Hierarchy]:
    """The hierarchies that are mounted and in which this process's group can be seen.

    Args:
        mountinfo: content of ``/proc/self/mountinfo``.
        own_cgroups: content of ``/proc/self/cgroup``.
    """
    mounts = []
    for line in mountinfo.splitlines():
        place, _, file_system = line.partition(" - ")
        kind, _, options = file_system.split(" ")[:3]
        root, mount = place.split(" ")[3:5]
        if kind in ("cgroup", "cgroup2"):
            mounts.append((kind, root, mount, frozenset(options.split(","))))
    found = []
    for line in own_cgroups.splitlines():
        _, names, path = line.split(":", 2)
        controllers = tuple(sorted(filter(None, names.split(","))))
        for kind, root, mount, present in mounts:
            same = present.issuperset(controllers) if controllers else kind == "cgroup2"
            if same and (kind == "cgroup") == bool(controllers) and _is_below(path, root):
                below = path if root == "/" else path[len(root) :]
                found.append(Hierarchy(controllers, Path(mount), Path(mount + below.rstrip("/"))))
                break
    return found


def _is_below(path: str, root: str) -> bool:
    return root in ("/", path) or path.startswith(f"{root}/")


def machine_hierarchies() -> list[Hierarchy]:
    """The hierarchies of this machine."""
    return hierarchies(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())


def is_v1(found: list[Hierarchy]) -> bool:
    """Whether controllers are those of cgroup v1, with or without an empty v2 hierarchy beside them."""
    return any(hierarchy.controllers for hierarchy in found)


def problems(mountinfo: str, own_cgroups: str, *, systemd: bool) -> list[str]:
    """Why hosts cannot get cgroups of their own here; empty if they can.

    Args:
        mountinfo: content of ``/proc/self/mountinfo``.
        own_cgroups: content of ``/proc/self/cgroup``.
        systemd: whether systemd is the machine's init.
    """
    found = hierarchies(mountinfo, own_cgroups)
    if not found:
        return ["no cgroup hierarchy is mounted"]
    if not is_v1(found):
        if not systemd:
            return ["the machine has cgroup v2 but its init is not systemd, which would delegate a group to each host"]
        return []
    present = {controller for hierarchy in found for controller in hierarchy.controllers}
    return [f"the cgroup v1 hierarchy of {name} is not mounted" for name in _NEEDED_V1 if name not in present]


def systemd_runs() -> bool:
    """Whether systemd is the machine's init, as sd_booted(3) tells it."""
    return _SYSTEMD_RUNS.is_dir()


def launch_prefix(group: str) -> list[str]:
    """What to put before a command so that it starts in groups of its own, named ``group``.

    With cgroup v2 that is a scope of the machine's systemd, whose subtree is delegated. With v1 a group is made below
    this process's present one in every hierarchy, also in those without a controller (``name=systemd`` and v2): left
    out there, all hosts' systemds would share one tree and stop each other's units.
    """
    found = machine_hierarchies()
    if not is_v1(found):
        scope = ["systemd-run", "--quiet", "--scope", "--collect", f"--unit={group}"]
        return [*scope, "--property=Delegate=yes", "--property=TasksMax=infinity", "--"]
    entrances = []
    for hierarchy in found:
        directory = hierarchy.present / group
        directory.mkdir(exist_ok=True)
        if "cpuset" in hierarchy.controllers:
            for name in _CPUSET_FILES:  # a new cpuset group has no processor and no memory, and takes no process
                (directory / name).write_text((hierarchy.present / name).read_text())
        entrances.append(str(directory / "cgroup.procs"))
    enter = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 70; shift; done; shift; exec "$@"'
    return ["/bin/sh", "-c", enter, "kubikk-lab", *entrances, "--"]


def groups(name: str, *, prefix: bool = False) -> list[Path]:
    """All groups of this name (a scope's suffix ignored), in all hierarchies, wherever they were made.

    Args:
        name: of a host's group.
        prefix: also groups whose names go on after ``name``.
    """
    pattern = re.compile(re.escape(name) + (r".*" if prefix else r"(\.scope)?"))
    found: dict[Path, None] = {}
    for hierarchy in machine_hierarchies():
        for directory, children, _ in os.walk(hierarchy.mount):
            for child in [child for child in children if child.startswith("kubikk.")]:
                children.remove(child)  # what is inside is the host's own
                if pattern.fullmatch(child):
                    found[Path(directory, child)] = None
    return list(found)


def _walk_up(group: Path) -> Iterator[Path]:
    """The group and all below it, the deepest first."""
    for directory, _, _ in os.walk(group, topdown=False):
        yield Path(directory)


def processes(found: list[Path]) -> set[int]:
    """Ids of the processes in these groups and all below them."""
    pids: set[int] = set()
    for group in found:
        for directory in _walk_up(group):
            try:
                pids.update(map(int, (directory / "cgroup.procs").read_text().split()))
            except OSError:  # removed meanwhile, or threaded (v2): its processes are listed further up
                continue
    return pids


def set_frozen(found: list[Path], *, frozen: bool) -> None:
    """Stops all processes in these groups where they are, or lets them go on."""
    for group in found:
        v1, v2 = group / "freezer.state", group / "cgroup.freeze"
        if v1.exists():
            v1.write_text("FROZEN\n" if frozen else "THAWED\n")
        elif v2.exists() and (group / "cgroup.controllers").read_text().strip():
            v2.write_text("1\n" if frozen else "0\n")


def remove(found: list[Path], *, patience: float = 5.0) -> None:
    """Removes these groups and all below them, the deepest first.

    Args:
        found: groups without processes.
        patience: seconds to wait for a process that is just ending.

    Raises:
        KubikkError: a group is still busy then.
    """
    deadline = time.monotonic() + patience
    for group in found:
        while group.exists():
            try:
                for directory in _walk_up(group):
                    directory.rmdir()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise KubikkError(f"The cgroup {group} cannot be removed", cause=str(error)) from error
                time.sleep(0.05)
