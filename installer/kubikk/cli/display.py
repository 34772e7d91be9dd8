"""Shows work while it goes on: bars and a table of hosts and phases on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from kubikk.ansible.events import Event
from kubikk.ansible.summary import PHASES, Summary, phase_of
from kubikk.cli.console import stderr

_SYMBOLS = {
    "running": "[cyan]…[/]",
    "ok": "[green]✓[/]",
    "changed": "[yellow]●[/]",
    "failed": "[bold red]✗[/]",
    "unreachable": "[bold red]?[/]",
}


class Display(Protocol):
    """Progress of preparation, and events of a run."""

    def start(self, name: str, total: float | None = None, unit: str = "") -> None: ...

    def advance(self, name: str, done: float) -> None: ...

    def finish(self, name: str, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...

    def on_event(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display() -> Display:
    """The display that fits where the output goes."""
    console = stderr()
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


def _stopping(summary: Summary) -> str:
    return f"stopping when {summary.in_hand or 'the step in hand'} is done; Ctrl-C again stops at once"


class PlainDisplay:
    """One line for each thing that begins, ends or changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._summary = Summary()
        self._shown: dict[tuple[str, str], str] = {}
        self._told: dict[str, float] = {}
        self._totals: dict[str, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _print(self, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._begun:7.1f} s  {text}", markup=False)

    def start(self, name: str, total: float | None = None, unit: str = "") -> None:
        """A piece of work begins."""
        with self._lock:
            self._told[name] = time.monotonic()
            self._totals[name] = total or 0
            self._print(f"{name} …")

    def advance(self, name: str, done: float) -> None:
        """Says once in half a minute how far a piece of work is."""
        with self._lock:
            if time.monotonic() - self._told.get(name, 0) >= 30:
                self._told[name] = time.monotonic()
                total = self._totals.get(name)
                self._print(f"{name} … {100 * done / total:.0f} %" if total else f"{name} …")

    def finish(self, name: str, note: str = "") -> None:
        """A piece of work is done."""
        with self._lock:
            self._print(f"{name}: {note or 'done'}")

    def log(self, line: str) -> None:
        """A line worth keeping."""
        with self._lock:
            self._print(line)

    def on_event(self, event: Event) -> None:
        """Says when a host is through with a phase, and what went wrong."""
        self._summary.add(event)
        if event.kind == "interrupted":
            self.log(_stopping(self._summary))
        cell = (event.host, phase_of(event))
        state = self._summary.cells.get(cell, "")
        if event.is_result and state != self._shown.get(cell) and state not in ("", "running"):
            self._shown[cell] = state
            self._print(f"{event.host:<12} {cell[1]:<14} {state}")


class LiveDisplay:
    """Bars with the time that is left, and below them a table of hosts and phases."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._summary = Summary()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=6, transient=True)
        self._console = console

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._summary.hosts:
            self._console.print(self._table())

    def start(self, name: str, total: float | None = None, unit: str = "") -> None:
        """A bar appears."""
        self._tasks[name] = self._bars.add_task(escape(name), total=total)

    def advance(self, name: str, done: float) -> None:
        """A bar grows."""
        if name in self._tasks:
            self._bars.update(self._tasks[name], completed=done)

    def finish(self, name: str, note: str = "") -> None:
        """A bar gives way to a line."""
        task = self._tasks.pop(name, None)
        if task is not None:
            self._bars.remove_task(task)
        self._console.print(f"[green]✓[/] {escape(name)}" + (f" [dim]{escape(note)}[/]" if note else ""))

    def log(self, line: str) -> None:
        """A line above the bars."""
        self._console.print(escape(line))

    def on_event(self, event: Event) -> None:
        """Updates the table."""
        self._summary.add(event)
        if event.kind == "interrupted":
            self.log(_stopping(self._summary))
        if event.kind in ("failed", "unreachable"):
            self._console.print(f"[bold red]✗ {escape(event.host)}[/] {escape(event.message.splitlines()[0])}")

    def _render(self) -> Group:
        return Group(self._bars, self._table()) if self._summary.hosts else Group(self._bars)

    def _table(self) -> Table:
        phases = [phase for phase in dict.fromkeys(PHASES.values()) if phase in self._summary.phases]
        table = Table(box=None, pad_edge=False)
        table.add_column("host")
        for phase in phases:
            table.add_column(phase, justify="center")
        for host in sorted(self._summary.hosts):
            table.add_row(host, *(_SYMBOLS.get(self._summary.cells.get((host, phase), ""), "") for phase in phases))
        return table
