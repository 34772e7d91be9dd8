"""Runs of Kubikk, and what they say of themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAMS = Path(sys.executable).parent


def kubikk(*arguments: str, cwd: Path | None = None, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """Runs kubikk to its end, without a terminal.

    Args:
        arguments: of kubikk.
        cwd: working directory.
        timeout: seconds.

    Returns:
        Its exit code and what it printed, messages included.
    """
    return subprocess.run(
        [str(PROGRAMS / "kubikk"), *arguments],
        cwd=cwd,
        timeout=timeout,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1"},
    )


def runs(directory: Path) -> list[Path]:
    """The directories of a cluster's runs, oldest first."""
    return sorted(path for path in (directory / "runs").glob("*") if path.is_dir())


def latest(directory: Path) -> Path | None:
    """A cluster's latest run; old ones are removed in time, so that their number says nothing."""
    return max(runs(directory), default=None)


def events(run: Path) -> list[dict[str, Any]]:
    """What happened in a run; a line that is not finished yet is left out."""
    path = run / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def changes(run: Path) -> list[str]:
    """What a run changed or restarted, one line each; empty where nothing."""
    found = []
    for event in events(run):
        result = event.get("result", {})
        if event["event"] == "changed" or event.get("changed") or result.get("restarted"):
            found.append(f"{event.get('host')}: {event.get('role')}: {event.get('task')}: {result}")
    return found
