"""Results as a table of Markdown: medians, spreads, and how each relates to the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.cases import CASES
from bench.meter import Cost
from bench.results import Results, Spread, spread

_COLUMNS: tuple[tuple[str, Callable[[Cost], float], str], ...] = (
    ("seconds", lambda cost: cost.seconds, "{:.1f}"),
    ("CPU s, control side", lambda cost: cost.control_cpu, "{:.1f}"),
    ("CPU s, hosts", lambda cost: cost.host_cpu, "{:.1f}"),
    ("MB sent", lambda cost: cost.sent / 1e6, "{:.0f}"),
    ("module executions", lambda cost: cost.executions or 0, "{:.0f}"),
)


def table(results: Results) -> str:
    """All cases, one line for each installer; in brackets the lowest and the highest where there are several runs."""
    names = [name for name, _, _ in _COLUMNS]
    lines = [
        "| case | by | runs | " + " | ".join(names) + " | of the floor |",
        "|---|---|---" + "|---" * (len(names) + 1) + "|",
    ]
    return "\n".join([*lines, *_rows(results)]) + "\n"


def _rows(results: Results) -> Iterator[str]:
    for case in results.cases:
        title = CASES[case].title if case in CASES else case
        floor = spread(results.of(case, "floor"), _seconds).median if results.of(case, "floor") else None
        for installer in results.installers(case):
            costs = results.of(case, installer)
            cells = [_cell(spread(costs, value), form) for _, value, form in _COLUMNS]
            if not any(cost.executions for cost in costs):
                cells[-1] = "-"
            ratio = f"{spread(costs, _seconds).median / floor:.2f}" if floor else "-"
            yield f"| {title} | {installer} | {len(costs)} | " + " | ".join(cells) + f" | {ratio} |"


def _seconds(cost: Cost) -> float:
    return cost.seconds


def _cell(found: Spread, form: str) -> str:
    median, low, high = (form.format(value) for value in (found.median, found.low, found.high))
    return median if low == high else f"{median} ({low} to {high})"
