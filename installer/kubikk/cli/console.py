"""What commands share: where they print, and how they end."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from kubikk.errors import KubikkError, ProblemsError

# Where no terminal sets a width, lines are not broken for the reader's log or pipe.
_WIDE = 400


def stdout() -> Console:
    """The console for answers. Colour and width follow the terminal; NO_COLOR is honoured."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def stderr() -> Console:
    """The console for progress and errors."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDE)


def print_json(value: Any) -> None:
    """Prints a value for another program."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True) + "\n")


def print_error(error: KubikkError) -> None:
    """Prints what failed, where, why, and what to do next."""
    console = stderr()
    where = f"{escape(error.host)}: " if error.host else ""
    console.print(f"[bold red]error:[/] {where}{escape(error.message)}")
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            console.print(f"  {escape(str(problem))}")
    if error.cause:
        console.print("[dim]" + "\n".join(f"  | {escape(line)}" for line in error.cause.splitlines()) + "[/]")
    if error.remedy:
        console.print(f"[bold]next:[/] {escape(error.remedy)}")
