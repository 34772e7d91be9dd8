"""The page itself."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from kubikk.ansible.journal import PastRun
from kubikk.ansible.summary import Summary
from kubikk.report.picture import picture
from kubikk.report.timeline import timeline

_SLOWEST = 12
# More hosts than this are folded in the list of changes.
_UNFOLDED = 6


def render(run: PastRun) -> str:
    """A run as one HTML page without scripts and without anything to be loaded.

    Args:
        run: the run.
    """
    events = list(run.events)
    summary = Summary()
    for event in events:
        summary.add(event)
    line = timeline(events)
    cluster_file = run.directory / "cluster.yml"
    environment = Environment(
        loader=PackageLoader("kubikk", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment.get_template("page.html.j2").render(
        run=run,
        cluster=run.facts.get("cluster", ""),
        errors=[one for error in run.errors for one in _single(error)],
        summary=summary,
        picture=picture(line) if line.bars else None,
        slowest=line.slowest[:_SLOWEST],
        longest=max((work.seconds for work in line.slowest), default=0.0),
        unfolded=len(summary.hosts) <= _UNFOLDED,
        versions=run.facts.get("versions", {}),
        cluster_file=cluster_file.read_text(errors="replace") if cluster_file.exists() else "",
        files=[shlex.quote(str(path)) for path in sorted(run.directory.iterdir()) if path.suffix in (".log", ".jsonl")],
    )


def _single(error: dict[str, Any]) -> list[dict[str, Any]]:
    """An error with several problems as several errors."""
    if not error.get("problems"):
        return [error]
    return [
        {**error, **problem, "host": problem["place"], "cause": None, "journal": []} for problem in error["problems"]
    ]


def duration(value: timedelta | float) -> str:
    """Seconds for people: 12.3 s, 4 min 05 s."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
