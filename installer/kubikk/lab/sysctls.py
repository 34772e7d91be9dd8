"""Kernel settings of the machine that labs need, and their way back when the last lab is gone."""

from __future__ import annotations

import json
from pathlib import Path

from kubikk.lab.state import write_atomically

_PROC = Path("/proc/sys")
# Lowest values with which labs work. inotify limits are shared by all hosts: with the usual 128 instances
# kubelets die with "inotify_init: too many open files" from the fourth host on.
_LEAST = {
    "net/ipv4/ip_forward": 1,
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 1048576,
}


def raise_limits(record: Path, *, proc: Path = _PROC) -> None:
    """Raises what is too low, and records what it was before anything is changed.

    Args:
        record: JSON file with the former values.
        proc: normally ``/proc/sys``.
    """
    saved: dict[str, int] = json.loads(record.read_text()) if record.exists() else {}
    low = {}
    for setting, least in _LEAST.items():
        present = int((proc / setting).read_text())
        if present < least:
            low[setting] = present
    if not low:
        return
    write_atomically(record, json.dumps({**low, **saved}, indent=2, sort_keys=True) + "\n")
    for setting in low:
        (proc / setting).write_text(f"{_LEAST[setting]}\n")


def restore_limits(record: Path, *, proc: Path = _PROC) -> None:
    """Restores what ``raise_limits`` changed, except what somebody else has set to another value since."""
    if not record.exists():
        return
    for setting, former in json.loads(record.read_text()).items():
        if int((proc / setting).read_text()) == _LEAST.get(setting):
            (proc / setting).write_text(f"{former}\n")
    record.unlink()
