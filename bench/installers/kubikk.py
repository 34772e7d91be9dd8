"""Kubikk itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bench.installers.base import Installer, Program
from bench.meter import Cost
from bench.site import Site
from kubikk.ansible.journal import PastRun, past_runs
from kubikk.ansible.summary import PHASES

KUBIKK = str(Path(sys.executable).with_name("kubikk"))


class Kubikk(Installer):
    """``kubikk up``.

    Args:
        name: in results.
        environment: variables that make it another Kubikk, for comparing two ways of doing something.
    """

    def __init__(self, name: str = "kubikk", environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.environment = dict(environment or {})

    def program(self, site: Site) -> Program:
        """``up`` on the site's cluster file."""
        command = [KUBIKK, "up", "-f", str(site.file)]
        return Program(command, site.directory / "kubeconfig", {"NO_COLOR": "1", **self.environment})

    def complete(self, site: Site, cost: Cost) -> None:
        """Module executions and phases, from the journal of the run."""
        add_journal(site, cost)


def add_journal(site: Site, cost: Cost) -> None:
    """Adds what the last run of a site's cluster says of itself."""
    run = past_runs(site.directory)[-1]
    cost.executions = sum(host["executions"] for host in run.summary.get("hosts", {}).values())
    cost.phases = phases(run, cost.seconds)


def phases(run: PastRun, seconds: float) -> dict[str, float]:
    """Seconds by phase, each from its first event to the first of the next phase.

    Args:
        run: of the journal.
        seconds: that the whole command took.
    """
    begun: dict[str, float] = {}
    for event in run.events:
        phase = PHASES.get(event.role)
        if event.host and phase is not None:
            begun.setdefault(phase, event.time)
    if not begun:
        return {}
    start = run.begun.timestamp()
    times = [*begun.values(), start + seconds]
    spent = {"start": round(times[0] - start, 2)}
    for number, phase in enumerate(begun):
        spent[phase] = round(times[number + 1] - times[number], 2)
    return spent
