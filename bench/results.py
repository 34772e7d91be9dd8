"""Results: one JSON file, a list of measurements, written after each, so that a run that broke off goes on."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.meter import Cost


@dataclass(frozen=True)
class Measurement:
    """One measured run.

    Attributes:
        case: what was done, for example ``first-up-3+2``.
        installer: by what.
        round: counts repetitions from 1.
        begun: when, RFC 3339.
        cost: what it cost.
        notes: what else is worth knowing: versions, processors.
    """

    case: str
    installer: str
    round: int
    begun: str
    cost: Cost
    notes: dict[str, Any] = field(default_factory=dict)


class Results:
    """The file of results.

    Args:
        file: it need not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.measurements: list[Measurement] = []
        if file.exists():
            for entry in json.loads(file.read_text()):
                self.measurements.append(Measurement(**{**entry, "cost": Cost(**entry["cost"])}))

    def has(self, case: str, installer: str, number: int) -> bool:
        """Whether this was measured already."""
        return any((each.case, each.installer, each.round) == (case, installer, number) for each in self.measurements)

    def add(self, measurement: Measurement) -> None:
        """Keeps a measurement; the file is whole at any time."""
        self.measurements.append(measurement)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps([asdict(each) for each in self.measurements], indent=1) + "\n")
        temporary.replace(self._file)

    def of(self, case: str, installer: str) -> list[Cost]:
        """All repetitions of a case."""
        return [each.cost for each in self.measurements if (each.case, each.installer) == (case, installer)]

    @property
    def cases(self) -> list[str]:
        """In order of their first measurement."""
        return list(dict.fromkeys(each.case for each in self.measurements))

    def installers(self, case: str) -> list[str]:
        """Those that a case was measured with."""
        return sorted({each.installer for each in self.measurements if each.case == case})


@dataclass(frozen=True)
class Spread:
    """A median, and how far repetitions lie from it.

    Attributes:
        median: of all.
        low: the lowest.
        high: the highest.
        count: how many.
    """

    median: float
    low: float
    high: float
    count: int


def spread(costs: Iterable[Cost], value: Callable[[Cost], float]) -> Spread:
    """The spread of one of the values that were measured; there is at least one measurement."""
    values = [value(cost) for cost in costs]
    return Spread(statistics.median(values), min(values), max(values), len(values))


def middle_phases(costs: Iterable[Cost]) -> dict[str, float]:
    """The phases, in order, of the run that took neither longest nor shortest; medians of phases would not add up."""
    ordered = sorted(costs, key=lambda cost: cost.seconds)
    return dict(ordered[(len(ordered) - 1) // 2].phases)
