"""One execution at a time changes a host: what a killed run still had in hand is waited for, not overtaken."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

PATH = "/run/kubikk-step.lock"
PATIENCE = 180.0


class BusyError(Exception):
    """Another execution works on this host and does not end."""

    kind = "busy"


@contextlib.contextmanager
def alone(act, path=PATH, patience=PATIENCE):
    """Holds the host while it is changed; the kernel frees it with the process.

    Args:
        act: False in check mode, which changes nothing and waits for nobody.
        path: file of the lock, on a file system that a reboot empties.
        patience: seconds to wait.

    Raises:
        BusyError: time is up.
    """
    if not act:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = os.pread(descriptor, 32, 0).decode() or "unknown"
                    raise BusyError(
                        "process %s of another run has been changing this host for %d s" % (holder, patience)
                    ) from None
                time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
