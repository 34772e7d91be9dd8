"""Charts of results, as SVG: phases of first installations stacked, and seconds by number of hosts."""

from __future__ import annotations

from pathlib import Path

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.cases import CASES
from bench.results import Results, middle_phases, spread

_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "kubikk",  # the same picture for the same results
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def phases(results: Results, file: Path) -> bool:
    """Draws for each first installation one bar for each installer, its phases stacked.

    Args:
        results: what was measured.
        file: the SVG.

    Returns:
        Whether there was anything to draw.
    """
    rows = [
        (f"{CASES[case].title.removeprefix('first up, ')}\n{installer}", middle_phases(results.of(case, installer)))
        for case in results.cases
        if case.startswith("first-up")
        for installer in results.installers(case)
    ]
    if not rows:
        return False
    pyplot.switch_backend("svg")
    with pyplot.rc_context(_STYLE):
        figure, axes = pyplot.subplots(figsize=(10, 0.9 + 0.62 * len(rows)))
        colours = pyplot.get_cmap("tab20")
        names = list(dict.fromkeys(name for _, found in rows for name in found))
        for number, (_, found) in enumerate(rows):
            left = 0.0
            for name, seconds in found.items():
                axes.barh(number, seconds, left=left, color=colours(names.index(name) % 20), label=name)
                left += seconds
            axes.text(left, number, f" {left:.0f} s", va="center")
        axes.set_yticks(range(len(rows)), [label for label, _ in rows])
        axes.invert_yaxis()
        axes.set_xlabel("seconds, of the run in the middle")
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(handles.values(), handles.keys(), loc="outside right upper", fontsize="small", frameon=False)
        _save(figure, file)
    return True


def scaling(results: Results, file: Path) -> bool:
    """Draws seconds of a first installation with three control-plane hosts by number of hosts, and processor seconds.

    Args:
        results: what was measured.
        file: the SVG.

    Returns:
        Whether there was anything to draw.
    """
    cases = sorted((case for case in results.cases if case.startswith("first-up-3+")), key=_hosts)
    if len(cases) < 2:
        return False
    installers = list(dict.fromkeys(name for case in cases for name in results.installers(case)))
    pyplot.switch_backend("svg")
    with pyplot.rc_context(_STYLE):
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6))
        for installer in installers:
            present = [case for case in cases if results.of(case, installer)]
            hosts = [_hosts(case) for case in present]
            wall = [spread(results.of(case, installer), lambda cost: cost.seconds) for case in present]
            errors = [[each.median - each.low for each in wall], [each.high - each.median for each in wall]]
            left.errorbar(hosts, [each.median for each in wall], yerr=errors, marker="o", capsize=3, label=installer)
            cpu = [
                spread(results.of(case, installer), lambda cost: cost.control_cpu + cost.host_cpu).median
                for case in present
            ]
            right.plot(hosts, [each / count for each, count in zip(cpu, hosts, strict=True)], marker="o")
        _label(left, "seconds")
        _label(right, "CPU seconds per host, both sides")
        left.legend(frameon=False)
        _save(figure, file)
    return True


def _hosts(case: str) -> int:
    return CASES[case].control_planes + CASES[case].workers


def _label(axes: Axes, text: str) -> None:
    axes.set_xlabel("hosts")
    axes.set_ylabel(text)
    axes.set_ylim(bottom=0)
    axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]


def _save(figure: Figure, file: Path) -> None:
    figure.set_layout_engine("constrained")
    file.parent.mkdir(parents=True, exist_ok=True)
    # No date, so that the same results give the same file.
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)
