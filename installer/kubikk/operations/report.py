"""``report``: a run of the past as a page."""

from __future__ import annotations

from pathlib import Path

from kubikk.ansible.journal import PastRun, past_runs
from kubikk.errors import KubikkError
from kubikk.report import render


def find_run(directory: Path, name: str) -> PastRun:
    """A run of a cluster.

    Args:
        directory: the cluster's, ``inventory/<name>``.
        name: the beginning of the run's name; the last run where empty.

    Raises:
        KubikkError: there is none, or several begin so.
    """
    present = past_runs(directory)
    if not present:
        raise KubikkError(f"there is no run in {directory / 'runs'}", remedy="runs are made by `kubikk up` and others")
    if not name:
        return present[-1]
    fitting = [run for run in present if run.name.startswith(name)]
    if len(fitting) != 1:
        what = f"{len(fitting)} runs begin with {name}" if fitting else f"there is no run {name}"
        raise KubikkError(what, remedy="`kubikk runs` lists them")
    return fitting[0]


def write_report(directory: Path, name: str, output: Path | None) -> Path:
    """Writes the page of a run.

    Args:
        directory: the cluster's, ``inventory/<name>``.
        name: as in ``find_run``.
        output: the file to write; by default ``report.html`` in the run's directory.

    Returns:
        The file.

    Raises:
        KubikkError: there is no such run.
    """
    run = find_run(directory, name)
    file = output or run.directory / "report.html"
    file.write_text(render(run), encoding="utf-8")
    return file.absolute()
