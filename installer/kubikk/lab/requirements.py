"""Whether this machine can host a lab; if not, all reasons at once."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from kubikk.errors import Problem, ProblemsError
from kubikk.lab import cgroups
from kubikk.lab.commands import succeeds
from kubikk.lab.machine import missing_packages
from kubikk.lab.state import Role

# MiB resident, measured on Kubernetes 1.37: API server 300, controller manager 120, scheduler 70, etcd 52,
# kubelet 90, containerd 50, kube-proxy 59; the rest is the host's own system, CoreDNS and room to move.
_MEMORY: dict[Role, int] = {"control-plane": 900, "worker": 350}
# MiB of components, images and logs.
_DISK: dict[Role, int] = {"control-plane": 2000, "worker": 1200}
_BASE_TREE = 700  # MiB, while it is built

_CAPABILITIES = {12: "CAP_NET_ADMIN", 18: "CAP_SYS_CHROOT", 21: "CAP_SYS_ADMIN", 27: "CAP_MKNOD"}
_ALL_USERS = 4294967295


def capability_problems(status: str) -> list[Problem]:
    """Which abilities this process lacks.

    Args:
        status: content of ``/proc/self/status``.
    """
    effective = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    return [
        Problem(f"this process lacks {name}", remedy="run it outside of a container, or in a privileged one")
        for bit, name in _CAPABILITIES.items()
        if not effective >> bit & 1
    ]


def user_namespace_problems(uid_map: str) -> list[Problem]:
    """Whether root is only root of a user namespace.

    Args:
        uid_map: content of ``/proc/self/uid_map``.
    """
    if uid_map.split() == ["0", "0", str(_ALL_USERS)]:
        return []
    return [Problem("root is mapped to another user here (an unprivileged container)", remedy="use a machine or a VM")]


def memory_problems(meminfo: str, roles: list[Role]) -> list[Problem]:
    """Whether the memory suffices for hosts that are to be started.

    Args:
        meminfo: content of ``/proc/meminfo``.
        roles: of these hosts.
    """
    available = next(int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemAvailable:")) // 1024
    return _too_little("memory", available, sum(_MEMORY[role] for role in roles), len(roles))


def disk_problems(place: str, free: int, roles: list[Role], *, base: bool) -> list[Problem]:
    """Whether the disk suffices.

    Args:
        place: the directory, for the message.
        free: MiB.
        roles: of the hosts to be created.
        base: whether the base tree is to be built there, too.
    """
    needed = sum(_DISK[role] for role in roles) + (_BASE_TREE if base else 0)
    return _too_little(f"disk space in {place}", free, needed, len(roles))


def _too_little(what: str, present: int, needed: int, hosts: int) -> list[Problem]:
    if present >= needed:
        return []
    return [Problem(f"{present} MiB of {what} are free, {hosts} hosts need about {needed} MiB", remedy="start fewer")]


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _file_system(path: Path, mountinfo: str) -> str:
    """The type of the file system a directory lies on."""
    best = ("", "")
    for line in mountinfo.splitlines():
        place, _, file_system = line.partition(" - ")
        point = place.split(" ")[4]
        if len(point) >= len(best[0]) and (Path(point) == path or Path(point) in path.parents):
            best = (point, file_system.split(" ")[0])
    return best[1]


def _overlayfs() -> bool:
    def known() -> bool:
        return "\toverlay\n" in Path("/proc/filesystems").read_text()

    return known() or (succeeds(["modprobe", "overlay"]) and known())


def check_machine(state_root: Path, starting: list[Role], creating: list[Role], *, base: bool) -> None:
    """Refuses a machine that cannot host these hosts.

    Args:
        state_root: where hosts' disks lie.
        starting: roles of the hosts to be started.
        creating: roles of those among them that do not exist yet.
        base: whether the base tree is to be built.

    Raises:
        ProblemsError: with every reason.
    """
    if platform.system() != "Linux":
        raise ProblemsError(
            "This machine cannot host a lab", [Problem(f"it runs {platform.system()}", remedy="use a Linux VM")]
        )
    problems: list[Problem] = []
    if os.geteuid() != 0:
        problems.append(Problem("this is not root", remedy="use sudo"))
    else:
        problems += capability_problems(Path("/proc/self/status").read_text())
        problems += user_namespace_problems(Path("/proc/self/uid_map").read_text())
    mountinfo = Path("/proc/self/mountinfo").read_text()
    for reason in cgroups.problems(mountinfo, Path("/proc/self/cgroup").read_text(), systemd=cgroups.systemd_runs()):
        problems.append(Problem(reason))
    if not _overlayfs():
        problems.append(Problem("the kernel has no overlayfs", remedy="load the module overlay"))
    place = _existing(state_root).resolve()
    if _file_system(place, mountinfo) == "overlay":
        problems.append(
            Problem(f"{place} lies on an overlay, which hosts' disks cannot", remedy=f"mount a volume at {state_root}")
        )
    missing = missing_packages()
    if missing and shutil.which("apt-get") is None:
        problems.append(Problem(f"not installed: {', '.join(missing)}", remedy="names are those of Debian's packages"))
    problems += memory_problems(Path("/proc/meminfo").read_text(), starting)
    problems += disk_problems(str(place), shutil.disk_usage(place).free // 2**20, creating, base=base)
    if problems:
        raise ProblemsError("This machine cannot host the lab", problems)
