"""Finding and ending the processes of a host."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from kubikk.errors import KubikkError
from kubikk.lab import cgroups


def namespace_pids(status: str) -> list[int]:
    """A process's ids in its process id namespaces, the reader's first.

    Args:
        status: content of ``/proc/<pid>/status``.
    """
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return [int(pid) for pid in line.split()[1:]]
    return []


def find_init(pids: Iterable[int]) -> int | None:
    """The init of a host: the process that is number 1 exactly one namespace below this one (a pod's is deeper)."""
    for pid in pids:
        try:
            numbers = namespace_pids(Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue
        if len(numbers) == 2 and numbers[1] == 1:
            return pid
    return None


def _kill(pid: int, group: str) -> None:
    """SIGKILL, if the process of this number still is one of the group's."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid in cgroups.processes(cgroups.groups(group)):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def end_all(group: str, *, patience: float = 20.0) -> None:
    """Ends a host as a power cut does: SIGKILL to its init, then to whatever is left outside of its namespace.

    Killing systemd-nspawn instead would leave the whole host running, detached.

    Args:
        group: name of the host's cgroups.
        patience: seconds until it must be gone.

    Raises:
        KubikkError: processes are left after that.
    """
    deadline = time.monotonic() + patience
    cgroups.set_frozen(cgroups.groups(group), frozen=False)  # a frozen process does not even die
    init = find_init(cgroups.processes(cgroups.groups(group)))
    if init is not None:
        _kill(init, group)
    grace = time.monotonic() + 3.0
    while left := cgroups.processes(cgroups.groups(group)):
        now = time.monotonic()
        if now > deadline:
            raise KubikkError(f"Processes of {group} do not end: {', '.join(map(str, sorted(left)))}")
        if init is None or now > grace:  # systemd-nspawn itself, or one that was just being started
            for pid in left:
                _kill(pid, group)
        time.sleep(0.05)
