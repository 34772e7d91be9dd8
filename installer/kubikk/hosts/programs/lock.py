"""Runs on a host: holds it for one run, as long as that run gives a sign of life.

``INPUT`` is {path, holder, lease: seconds}. Says {"held": true}, or {"held": false, "holder": …} and ends. Then it
sends every line back, and ends with its input, or when none has come for the length of the lease, by this host's
clock. The kernel frees the lock with the process, so none is ever left behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

INPUT: dict[str, Any] = globals().get("INPUT", {})
PATIENCE = 3.0  # seconds for a program to end that was killed


def acquire(path: str) -> tuple[int, bool]:
    """Opens and locks a file; returns its descriptor, and whether it could be locked."""
    deadline = time.monotonic() + PATIENCE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = read(descriptor)
            if holder.get("run") != INPUT["holder"]["run"] or time.monotonic() > deadline:
                return descriptor, False
            # The same run, over a connection that broke without this host's notice.
            end(holder["program"])
            os.close(descriptor)
            continue
        # Its last holder may have removed it in between: then the next one would make, and lock, another.
        if is_at(descriptor, path):
            return descriptor, True
        os.close(descriptor)


def end(program: int) -> None:
    """Ends the program that holds the lock."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)
    time.sleep(0.05)


def is_at(descriptor: int, path: str) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), Path(path).stat())
    except FileNotFoundError:
        return False


def read(descriptor: int) -> dict[str, Any]:
    """Who holds the lock; empty where it has not said so yet."""
    try:
        holder: dict[str, Any] = json.loads(os.pread(descriptor, 4096, 0))
        return holder
    except ValueError:
        return {}


def main() -> None:
    """Acquires, and holds."""
    path = INPUT["path"]
    descriptor, held = acquire(path)
    if not held:
        print(json.dumps({"held": False, "holder": read(descriptor)}), flush=True)
        return
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({**INPUT["holder"], "program": os.getpid()}).encode(), 0)
        print(json.dumps({"held": True}), flush=True)
        while select.select([0], [], [], INPUT["lease"])[0]:
            line = os.read(0, 4096)
            if not line:
                break
            os.write(1, line)
    finally:
        if is_at(descriptor, path):
            Path(path).unlink()


if __name__ == "__main__":
    main()
