"""Starts programs of this machine and turns their failure into a KubikkError."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from kubikk.errors import KubikkError

_LAST_LINES = 12


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with untranslated messages, system directories on PATH, and ``extra``."""
    path = os.environ.get("PATH", "")
    return {**os.environ, "LC_ALL": "C", "PATH": f"{path}:/usr/sbin:/usr/bin:/sbin:/bin", **(extra or {})}


def last_lines(text: str) -> str:
    """The end of a program's output, as the cause of an error."""
    return "\n".join(text.strip().splitlines()[-_LAST_LINES:])


def run(argv: Sequence[str], *, extra_env: Mapping[str, str] | None = None) -> str:
    """Runs a program to its end.

    Args:
        argv: program and arguments.
        extra_env: variables added to the environment.

    Returns:
        What it wrote to standard output.

    Raises:
        KubikkError: it is not there or exits with another status than 0; the cause is the end of its output.
    """
    try:
        done = subprocess.run(
            argv, env=environment(extra_env), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise KubikkError(f"{argv[0]} is not installed on this machine") from error
    if done.returncode != 0:
        raise KubikkError(
            f"`{' '.join(argv)}` failed with status {done.returncode}", cause=last_lines(done.stdout + done.stderr)
        )
    return done.stdout


def succeeds(argv: Sequence[str]) -> bool:
    """Whether a program, run to its end, exits with status 0; its output is dropped."""
    try:
        run(argv)
    except KubikkError:
        return False
    return True
