"""The timeline's geometry: where each bar, strip, label and tick of the SVG goes."""

from __future__ import annotations

from dataclasses import dataclass

from kubikk.report.timeline import Bar, Timeline

_WIDTH = 1410.0  # pixels; the picture scrolls where the window is narrower
_RIGHT = 24.0  # room for half of the last tick's text
_FEW = 15  # up to so many hosts get higher rows
_HEIGHTS = (30.0, 22.0)
_AXIS = 24.0
_MARGIN = 3.0  # between a bar and its row's edges
_HOST_CHARACTER, _LABEL_CHARACTER = 8.3, 7.0  # widths in pixels, generous for all system fonts
_LONGEST_NAME = 30
_NARROWEST = 3.0
_MOST_TICKS = 12
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_COLOURS = 10


@dataclass(frozen=True)
class Strip:
    """A task inside of a bar: where it lies, and how it ended."""

    x: float
    width: float
    state: str
    title: str


@dataclass(frozen=True)
class Box:
    """A bar.

    Attributes:
        host: its host.
        phase: its phase.
        state: how it ended.
        colour: number of the phase's colour.
        x: left edge.
        y: upper edge.
        width: its width.
        height: its height.
        label: what is written in it; "" where there is no room.
        title: what is said when it is pointed at.
        strips: tasks.
    """

    host: str
    phase: str
    state: str
    colour: int
    x: float
    y: float
    width: float
    height: float
    label: str
    title: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Row:
    """A host's row: its name, where it begins, and whether it is shaded."""

    host: str
    shown: str
    y: float
    shaded: bool


@dataclass(frozen=True)
class Tick:
    """A mark of the time axis."""

    x: float
    text: str


@dataclass(frozen=True)
class Picture:
    """The whole of it; coordinates in pixels.

    Attributes:
        width: of the SVG.
        height: of the SVG.
        left: where the plot begins.
        row_height: of each row.
        axis: height of the axis at the top, and of the one at the bottom.
        rows: hosts.
        boxes: bars.
        ticks: of the time axis.
        legend: phase -> number of its colour.
    """

    width: float
    height: float
    left: float
    row_height: float
    axis: float
    rows: tuple[Row, ...]
    boxes: tuple[Box, ...]
    ticks: tuple[Tick, ...]
    legend: dict[str, int]


def picture(timeline: Timeline) -> Picture:
    """Lays a timeline out.

    Args:
        timeline: with at least one bar.
    """
    span = max(timeline.end - timeline.start, 0.001)
    longest = min(max(len(host) for host in timeline.hosts), _LONGEST_NAME)
    left = round(longest * _HOST_CHARACTER) + 20.0
    row_height = _HEIGHTS[0] if len(timeline.hosts) <= _FEW else _HEIGHTS[1]
    rows = tuple(
        Row(host, _shortened(host), _AXIS + number * row_height, number % 2 == 1)
        for number, host in enumerate(timeline.hosts)
    )
    top = {row.host: row.y for row in rows}
    legend = {phase: number % _COLOURS for number, phase in enumerate(timeline.phases)}
    grid = _Grid(left, timeline.start, (_WIDTH - left - _RIGHT) / span, row_height)
    boxes = tuple(_box(bar, legend[bar.phase], top[bar.host], grid) for bar in timeline.bars)
    ticks = tuple(Tick(grid.x(timeline.start + second), _clock(second)) for second in _ticks(span))
    height = 2 * _AXIS + len(rows) * row_height
    return Picture(_WIDTH, height, left, row_height, _AXIS, rows, boxes, ticks, legend)


@dataclass(frozen=True)
class _Grid:
    """How time and hosts become pixels."""

    left: float
    zero: float
    scale: float
    row_height: float

    def x(self, time: float) -> float:
        return round(self.left + (time - self.zero) * self.scale, 2)


def _box(bar: Bar, colour: int, top: float, grid: _Grid) -> Box:
    width = max((bar.end - bar.start) * grid.scale, _NARROWEST)
    mark = "✗ " if bar.state in ("failed", "unreachable") else ""
    label = mark + bar.phase
    if len(label) * _LABEL_CHARACTER + 8 > width:
        label = mark.strip() if mark and width >= 14 else ""
    strips = tuple(
        Strip(
            grid.x(work.start),
            round(max(work.seconds * grid.scale, 1.0), 2),
            work.state,
            f"{work.task}: {work.state}, {work.seconds:.1f} s",
        )
        for work in bar.work
    )
    return Box(
        host=bar.host,
        phase=bar.phase,
        state=bar.state,
        colour=colour,
        x=grid.x(bar.start),
        y=top + _MARGIN,
        width=round(width, 2),
        height=grid.row_height - 2 * _MARGIN,
        label=label,
        title=f"{bar.host}, {bar.phase}: {bar.state}, {bar.end - bar.start:.1f} s",
        strips=strips,
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _ticks(span: float) -> list[int]:
    step = next((step for step in _STEPS if span / step <= _MOST_TICKS), round(span / _MOST_TICKS) or 1)
    return list(range(0, int(span) + 1, step))


def _clock(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
