"""The table of a cluster's runs."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from kubikk.ansible.journal import PastRun
from kubikk.cli.console import stdout

_STYLES = {"done": "green", "failed": "bold red", "interrupted": "yellow", "running": "cyan"}


def print_runs(runs: list[PastRun]) -> None:
    """Prints one line a run: when, what, how it ended, how many changes, and which errors on which hosts."""
    console = stdout()
    if not runs:
        console.print("no runs yet")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("RUN", "BEGAN (UTC)", "VERB", "STATE", "SECONDS", "CHANGES", "ERRORS"):
        table.add_column(column, justify="right" if column in ("SECONDS", "CHANGES") else "left", overflow="fold")
    for run in runs:
        changes = run.summary.get("changes")
        table.add_row(
            run.name,
            f"{run.begun:%Y-%m-%d %H:%M:%S}",
            run.verb,
            f"[{_STYLES[run.state]}]{run.state}[/]",
            f"{run.duration.total_seconds():.1f}",
            "" if changes is None else str(changes),
            escape(_errors(run)),
        )
    console.print(table)


def _errors(run: PastRun) -> str:
    """Each error as its code and host, or where it has no code as its message."""
    found = []
    for error in run.errors:
        for one in error.get("problems") or [error]:
            place = one.get("host") or one.get("place") or ""
            found.append(f"{one['code'] or one['message']}{f' {place}' if place else ''}")
    return ", ".join(dict.fromkeys(found))
