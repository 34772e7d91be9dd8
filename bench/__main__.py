"""``python -m bench``: measures, prints medians, draws charts. See README.md."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bench.cases import CASES, Case, NotToBeHadError
from bench.installers.base import Installer
from bench.installers.command import Command
from bench.installers.floor import Floor
from bench.installers.kubeadm import Kubeadm
from bench.installers.kubikk import Kubikk
from bench.lightweight import plan_many
from bench.results import Measurement, Results
from bench.site import Site, open_site
from bench.table import table
from kubikk.errors import KubikkError

ROOT = Path(__file__).parent / "out"
OWN: dict[str, Installer] = {each.name: each for each in (Floor(), Kubikk(), Kubeadm())}

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

ResultsFile = Annotated[Path, typer.Option("--results", help="The file of results; what it has is not done again.")]
DEFAULT_RESULTS = ROOT / "results.json"


@app.command("list")
def list_() -> None:
    """Tell the cases."""
    for case in CASES.values():
        typer.echo(f"{case.name:<20} {case.title} ({', '.join(case.installers or OWN)})")


@app.command()
def run(  # noqa: PLR0917 (Typer reads options from parameters)
    cases: Annotated[list[str], typer.Argument(help="Names of cases; `all` for all of them.")],
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Rounds; each does every case once.")] = 3,
    by: Annotated[list[str] | None, typer.Option("--by", help="Only these installers.")] = None,
    other: Annotated[
        Path | None, typer.Option("--command", help="Measure first installations by this program, too.")
    ] = None,
    other_dns: Annotated[bool, typer.Option(help="Whether CoreDNS belongs to that program's finish line.")] = True,
    lab: Annotated[
        str, typer.Option("--lab", help="The lab's name; its hosts are made anew again and again.")
    ] = "bench",
    results: ResultsFile = DEFAULT_RESULTS,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hosts running at the end.")] = False,
) -> None:
    """Measure, with interleaved repetitions; a run that broke off goes on where it was."""
    chosen = list(CASES) if cases == ["all"] else cases
    if unknown := [name for name in chosen if name not in CASES]:
        raise KubikkError(f"there is no case {', '.join(unknown)}", remedy="`python -m bench list` tells them")
    installers = dict(OWN)
    if other is not None:
        installers[other.stem] = Command(other.stem, other, dns=other_dns)
    present = Results(results)
    site = open_site(lab, ROOT)
    try:
        for number in range(1, repeat + 1):
            for name in chosen:
                for installer in _taking_part(CASES[name], installers, by):
                    if not present.has(name, installer.name, number):
                        _measure(CASES[name], installer, number, site, present)
    finally:
        if not keep:
            site.lab.down()
    typer.echo(table(present))


@app.command()
def show(results: ResultsFile = DEFAULT_RESULTS) -> None:
    """Print the table of medians."""
    typer.echo(table(Results(results)))


@app.command()
def draw(
    directory: Annotated[Path, typer.Argument(help="Where the SVG files go.")], results: ResultsFile = DEFAULT_RESULTS
) -> None:
    """Draw the charts."""
    from bench import charts  # noqa: PLC0415 (matplotlib, which measuring does not need)

    found = Results(results)
    for draw_one, name in ((charts.phases, "bench-phases.svg"), (charts.scaling, "bench-scaling.svg")):
        drawn = draw_one(found, directory / name)
        typer.echo(f"{directory / name}: {'drawn' if drawn else 'nothing was measured for it'}")


@app.command()
def lightweight(
    hosts: Annotated[int, typer.Argument(min=4, max=200, help="How many.")] = 50,
    lab: Annotated[str, typer.Option("--lab", help="The lab's name; it gets one host.")] = "bench",
) -> None:
    """Measure what a plan for many bare hosts costs: they are further addresses of one lab host."""
    site = open_site(lab, ROOT)
    try:
        typer.echo(str(plan_many(site, hosts)))
    finally:
        site.lab.down()


def _taking_part(case: Case, installers: dict[str, Installer], by: list[str] | None) -> list[Installer]:
    names = list(case.installers or installers)
    return [installers[name] for name in names if name in installers and (by is None or name in by)]


def _measure(case: Case, installer: Installer, number: int, site: Site, results: Results) -> None:
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    typer.echo(f"{begun} round {number}: {case.name} by {installer.name} …")
    try:
        cost = case.run(case, installer, site)
    except NotToBeHadError as error:
        typer.echo(f"  left out: {error}")
        return
    notes = {"kubikk": version("kubikk"), "processors": os.cpu_count()}
    results.add(Measurement(case.name, installer.name, number, begun, cost, notes))
    shown = {key: value for key, value in dataclasses.asdict(cost).items() if key != "phases"}
    typer.echo("  " + ", ".join(f"{key} {value}" for key, value in shown.items()))


def main() -> None:
    """Runs the program; what went wrong is told in plain words."""
    try:
        app()
    except KubikkError as error:
        parts = [f"error: {error.message}", error.cause, error.remedy]
        typer.echo("\n".join(part for part in parts if part), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
