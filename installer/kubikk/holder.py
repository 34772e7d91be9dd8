"""Who holds a lock, as it is written into locks and told to whoever is refused."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubikk.errors import KubikkError


def command_line() -> str:
    """What was typed, without the program's directory."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def this_run() -> dict[str, str | int]:
    """This process, as the holder of a lock; ``run`` is told apart from every other."""
    return {
        "run": secrets.token_hex(8),
        "pid": os.getpid(),
        "user": getpass.getuser(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
    }


def refusal(cluster: str, holder: Mapping[str, Any], remedy: str = "") -> KubikkError:
    """The error for a run that another one is in the way of.

    Args:
        cluster: the cluster's name.
        holder: as ``this_run`` wrote it; empty where it is not known.
        remedy: more to do than to wait.
    """
    who = "another run"
    if holder:
        who = "`{command}` of {user} on {host} (process {pid}), since {since}".format(**holder)
    return KubikkError(
        f"cluster {cluster} is being changed by {who}",
        remedy="wait for it to end, or end it with Ctrl-C where it runs" + remedy,
    )
