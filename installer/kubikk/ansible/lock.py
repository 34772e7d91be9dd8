"""One run at a time per cluster and control node."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from kubikk.holder import refusal, this_run

# How long the processes of a run may take to end whose wrapper was killed; they are ended with it.
_LAST_PROCESSES = 30.0


@contextlib.contextmanager
def cluster_lock(directory: Path, *, patience: float = _LAST_PROCESSES) -> Iterator[int]:
    """Holds a cluster's lock, and gives its file descriptor for ansible-playbook to inherit.

    The kernel's own lock (flock) rather than a library's: it is held as long as any process of the run lives, so a
    wrapper that was killed does not free a cluster on which Ansible still works, and no stale lock is ever left.

    Args:
        directory: the cluster's, ``inventory/<name>``.
        patience: seconds to wait for the processes of a run whose wrapper is dead.

    Raises:
        KubikkError: another run holds it; says which and since when.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, directory, patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(this_run()).encode(), 0)
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(directory: Path) -> bool:
    """Whether a run is under way on this control node.

    Args:
        directory: the cluster's, ``inventory/<name>``.
    """
    try:
        descriptor = os.open(directory / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquire(descriptor: int, directory: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = _read(descriptor)
            alive = holder and Path(f"/proc/{holder['pid']}").exists()
            if alive or time.monotonic() > deadline:
                raise refusal(directory.name, holder) from None
            time.sleep(0.2)


def _read(descriptor: int) -> dict[str, str | int]:
    try:
        holder: dict[str, str | int] = json.loads(os.pread(descriptor, 4096, 0))
        return holder
    except ValueError:
        return {}
