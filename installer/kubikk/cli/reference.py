"""The reference page of the command line, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from kubikk.cli.main import app

_TITLE = """\
# The command line

<!-- Generated from installer/kubikk/cli by `make docs`. -->

`kubikk COMMAND --help` says the same. Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong usage, or something to do
(`plan`); 130 interrupted. An error says what failed, on which host, why, and what to do next; where it has a code,
[errors](../errors.md) says more. Colour and moving progress appear on a terminal only, never where `NO_COLOR` is set.
"""


def reference() -> str:
    """The page, in Markdown."""
    group = cast("TyperGroup", get_command(app))
    context = typer.Context(group)
    commands = list(_commands(group, context, "kubikk"))
    listing = [f"| [`{name}`](#{_anchor(name)}) | {_text(command.help)} |" for name, command in commands]
    parts = [_TITLE, "| command | |\n|---|---|", *listing, ""]
    for name, command in commands:
        parts += _section(name, command, context)
    return "\n".join(parts)


def _commands(group: TyperGroup, context: typer.Context, prefix: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, TyperGroup):
            yield from _commands(command, context, f"{prefix} {name}")
        elif isinstance(command, typer.core.TyperCommand) and not command.hidden:
            yield f"{prefix} {name}", command


def _section(name: str, command: typer.core.TyperCommand, context: typer.Context) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"`{name} {' '.join(command.collect_usage_pieces(context))}`\n"
    yield f"{_text(command.help)}\n"
    rows = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    shown = [(names, text) for names, text in rows if "--help" not in names]
    if shown:
        yield "| argument or option | meaning |\n|---|---|"
        yield from (f"| `{names}` | {_text(text)} |" for names, text in shown)
        yield ""


def _text(text: str | None) -> str:
    """One line that a table takes."""
    return " ".join((text or "").split()).replace("|", "\\|")


def _anchor(heading: str) -> str:
    return heading.replace(" ", "-")
