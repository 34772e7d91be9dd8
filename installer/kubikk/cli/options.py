"""Options that several commands have."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kubikk.errors import KubikkError

ClusterFile = Annotated[
    Path,
    typer.Option(
        "--file", "-f", envvar="KUBIKK_CLUSTER", help="The cluster file.", show_default="./cluster.yml", dir_okay=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]
AskBecomePass = Annotated[
    bool,
    typer.Option("--ask-become-pass", "-K", help="Ask for sudo's password (or read it from a pipe on standard input)."),
]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", help="Work on this host only; may be given several times.", metavar="HOST"),
]

DEFAULT_FILE = Path("cluster.yml")


def existing(file: Path) -> Path:
    """The cluster file's absolute path.

    Raises:
        KubikkError: it is not there.
    """
    if not file.is_file():
        raise KubikkError(
            f"there is no cluster file {file}",
            remedy="name one with -f or $KUBIKK_CLUSTER, or write one with `kubikk init`",
        )
    return Path(os.path.abspath(file))  # noqa: PTH100 (links stay: the inventory lies beside the name that was given)


def become_password(ask: bool) -> str | None:
    """sudo's password: asked for on a terminal, else the first line of standard input; None where it is not wanted."""
    if not ask:
        return None
    return getpass.getpass("sudo password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
