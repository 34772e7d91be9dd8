"""Results, medians, the table, the charts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import charts
from bench.meter import Cost
from bench.results import Measurement, Results, middle_phases, spread
from bench.table import table

SECONDS = {"floor": (10.0, 12.0, 11.0), "kubikk": (22.0, 20.0, 90.0)}


def cost(seconds: float, executions: int | None = None) -> Cost:
    phases = {"copy": seconds / 2, "ready": seconds / 2}
    return Cost(seconds, seconds / 4, seconds, int(seconds * 1e6), 1000, phases, executions)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    found = Results(tmp_path / "deep" / "results.json")
    for number in (1, 2, 3):
        for name, seconds in SECONDS.items():
            spent = cost(seconds[number - 1], 40 if name == "kubikk" else None)
            found.add(Measurement("first-up-3+2", name, number, "2026-01-01T00:00:00+00:00", spent))
    return found


def test_a_broken_off_run_goes_on(results: Results, tmp_path: Path) -> None:
    again = Results(tmp_path / "deep" / "results.json")
    assert again.measurements == results.measurements
    assert again.has("first-up-3+2", "kubikk", 3)
    assert not again.has("first-up-3+2", "kubikk", 4)
    assert not again.has("first-up-1+2", "kubikk", 3)
    assert not list(tmp_path.rglob("*.new"))


def test_one_outlier_does_not_move_the_median(results: Results) -> None:
    found = spread(results.of("first-up-3+2", "kubikk"), lambda each: each.seconds)
    assert (found.median, found.low, found.high, found.count) == (22.0, 20.0, 90.0, 3)
    assert middle_phases(results.of("first-up-3+2", "floor")) == {"copy": 5.5, "ready": 5.5}


def test_the_table_relates_to_the_floor(results: Results) -> None:
    lines = table(results).splitlines()
    assert "| floor | 3 | 11.0 (10.0 to 12.0) |" in lines[2]
    assert lines[2].endswith("| - | 1.00 |")
    assert lines[3].endswith("| 40 | 2.00 |")


def test_charts_are_the_same_for_the_same_results(results: Results, tmp_path: Path) -> None:
    results.add(Measurement("first-up-3+7", "kubikk", 1, "2026-01-01T00:00:00+00:00", cost(30.0, 50)))
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    for file in (first, second):
        assert charts.phases(results, file)
        assert charts.scaling(results, file.with_suffix(".scaling.svg"))
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text()
    assert "copy" in text and "kubikk" in text and "22 s" in text


def test_results_are_plain_json(results: Results, tmp_path: Path) -> None:
    entries = json.loads((tmp_path / "deep" / "results.json").read_text())
    assert entries[1]["cost"]["executions"] == 40
