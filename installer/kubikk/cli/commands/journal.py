"""Commands that look back: runs, their reports, and what an error's code means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import DEFAULT_FILE, ClusterFile, Json, existing
from kubikk.errors import KubikkError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(runs)
    app.command()(report)
    app.command()(explain)


def runs(file: ClusterFile = DEFAULT_FILE, json: Json = False) -> None:
    """List what was done with the cluster, the last run at the end."""
    from kubikk.ansible.journal import past_runs
    from kubikk.cli.run_table import print_runs
    from kubikk.operations.workspace import open_directory

    found = past_runs(open_directory(existing(file)))
    if json:
        print_json([run.to_dict() for run in found])
    else:
        print_runs(found)


def report(
    run: Annotated[
        str,
        typer.Argument(help="A run as `kubikk runs` names it, or the beginning of its name.", show_default="the last"),
    ] = "",
    file: ClusterFile = DEFAULT_FILE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write it here.", dir_okay=False, show_default="report.html beside the journal"
        ),
    ] = None,
) -> None:
    """Write a page about a run: when each host did what, what changed, what was slow, what went wrong."""
    from kubikk.operations.report import write_report
    from kubikk.operations.workspace import open_directory

    stdout().print(f"wrote {write_report(open_directory(existing(file)), run, output)}", markup=False, soft_wrap=True)


def explain(code: Annotated[str, typer.Argument(help="The code of an error, for example KBK-101.")]) -> None:
    """Say what an error's code means, and what to do."""
    from kubikk.error_codes import CODES

    wanted = code.upper().strip("()")
    known = next((each for each in CODES if each.id == wanted), None)
    if known is None:
        raise KubikkError(f"there is no error {code}", remedy=f"codes are {', '.join(each.id for each in CODES)}")
    console = stdout()
    console.print(f"[bold]{known.id}: {known.title}[/]")
    for heading, text in (("told by", known.recognised), ("cause", known.cause), ("remedy", known.advice())):
        console.print(f"[bold]{heading}:[/] ", end="")
        console.print(text, markup=False)
