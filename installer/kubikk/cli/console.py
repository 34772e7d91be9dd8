"""What commands share: where they print, and how they end."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.markup import escape

from kubikk.ansible.redaction import Redactor
from kubikk.error_codes import Code
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
    """Prints a value for another program; what looks like a secret is left out."""
    sys.stdout.write(Redactor()(json.dumps(value, indent=2, sort_keys=True)) + "\n")


def print_error(error: KubikkError, console: Console | None = None) -> None:
    """Prints what failed, where, why, and what to do next; what looks like a secret is left out.

    Args:
        error: the error.
        console: standard error by default.
    """
    console = console or stderr()
    redact = Redactor()

    def shown(text: str) -> str:
        return escape(redact(text))

    where = f"{shown(error.host)}: " if error.host else ""
    console.print(f"[bold red]error:[/] {where}{shown(error.message)}{_code(error.code)}")
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            if problem.code is None:
                console.print(f"  {shown(str(problem))}")
                continue
            console.print(f"  {shown(str(replace(problem, remedy='')))}{_code(problem.code)}")
            console.print(f"  [bold]next:[/] {shown(problem.remedy)}")
    for line in redact(error.cause or "").splitlines():
        console.print(f"[dim]  | {escape(line)}[/]")
    if error.journal:
        console.print("last lines of its journal:")
        for line in redact("\n".join(error.journal)).splitlines():
            console.print(f"[dim]  | {escape(line)}[/]")
    if error.remedy:
        console.print(f"[bold]next:[/] {shown(error.remedy)}")


def _code(code: Code | None) -> str:
    return f" [cyan]({code.id})[/]" if code else ""
