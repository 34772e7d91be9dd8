"""When each host did what: bars of hosts and phases, made from a run's events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubikk.ansible.events import Event
from kubikk.ansible.summary import PHASES, phase_of

# The worst that happened in a bar is what it shows.
_RANK = ("ok", "changed", "unfinished", "unreachable", "failed")


@dataclass(frozen=True)
class Work:
    """A task on a host.

    Attributes:
        host: its name.
        phase: as an operator thinks of it.
        role: of Ansible.
        task: its name.
        start: seconds since 1970.
        end: when it ended, or the run's last sign of life.
        state: ok, changed, failed, unreachable, or unfinished.
    """

    host: str
    phase: str
    role: str
    task: str
    start: float
    end: float
    state: str

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


@dataclass
class Bar:
    """A phase on a host, from its first task to its last; in between it may wait for other hosts.

    Attributes:
        host: its name.
        phase: the phase.
        work: its tasks in order.
    """

    host: str
    phase: str
    work: list[Work] = field(default_factory=list)

    @property
    def start(self) -> float:
        """When its first task began."""
        return min(each.start for each in self.work)

    @property
    def end(self) -> float:
        """When its last task ended."""
        return max(each.end for each in self.work)

    @property
    def state(self) -> str:
        """The worst that happened."""
        return max((each.state for each in self.work), key=_RANK.index)


@dataclass(frozen=True)
class Timeline:
    """A run.

    Attributes:
        start: seconds since 1970 of its first event.
        end: of its last.
        hosts: in the inventory's order of appearance.
        bars: one for each host and phase.
    """

    start: float
    end: float
    hosts: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def phases(self) -> tuple[str, ...]:
        """Those that there are, in order."""
        present = {bar.phase for bar in self.bars}
        return tuple(phase for phase in dict.fromkeys(PHASES.values()) if phase in present)

    @property
    def slowest(self) -> list[Work]:
        """All tasks, the slowest first."""
        return sorted((work for bar in self.bars for work in bar.work), key=lambda work: -work.seconds)


def timeline(events: Iterable[Event]) -> Timeline:
    """Makes a timeline.

    Args:
        events: of one run, in order.
    """
    bars: dict[tuple[str, str], Bar] = {}
    open_: dict[tuple[str, str, str], Event] = {}
    times: list[float] = []

    def note(begun: Event, end: float, state: str) -> None:
        phase = phase_of(begun)
        bar = bars.setdefault((begun.host, phase), Bar(begun.host, phase))
        bar.work.append(Work(begun.host, phase, begun.role, begun.task, begun.time, end, state))

    for event in events:
        times.append(event.time)
        # What is checked on the control node alone takes no host's time.
        if not event.host or not phase_of(event) or event.on_control_node:
            continue
        key = (event.host, event.role, event.task)
        if event.kind == "task_start":
            open_[key] = event
        elif (begun := open_.pop(key, None)) and event.is_result:
            note(begun, event.time, event.kind)
    end = max(times, default=0.0)
    for begun in open_.values():
        note(begun, end, "unfinished")
    order = sorted(bars, key=lambda key: _natural(key[0]))
    return Timeline(
        min(times, default=0.0), end, tuple(dict.fromkeys(host for host, _ in order)), tuple(bars[key] for key in order)
    )


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts w10 behind w9."""
    parts: list[tuple[int, str]] = []
    digits = ""
    for character in [*name, ""]:
        if character.isdigit():
            digits += character
            continue
        if digits:
            parts.append((int(digits), ""))
            digits = ""
        parts.append((0, character))
    return tuple(parts)
