"""Ctrl-C while a run goes on."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

from kubikk.processes import descendants

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Notes Ctrl-C (and SIGTERM) in a descriptor that can be waited for, so that nothing is torn in the middle.

    The interpreter writes there as soon as a signal comes. A handler of ours would run when Python goes on, and Python
    may have begun to wait a moment before.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self.count = 0

    def __enter__(self) -> Self:
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)
        self._before = {number: signal.signal(number, _go_on) for number in _SIGNALS}
        self._woken_before = signal.set_wakeup_fd(self._writing)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._woken_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reading)
        os.close(self._writing)

    def fileno(self) -> int:
        """Readable when there was one since ``take`` was called."""
        return self._reading

    def take(self) -> int:
        """Counts what came; returns how many there were altogether."""
        self.count += sum(number in _SIGNALS for number in os.read(self._reading, 64))
        return self.count


def _go_on(number: int, frame: FrameType | None) -> None:
    """Instead of what ends the program."""


def end_with_descendants(pid: int) -> None:
    """Ends a process and all that descends from it, at once; Ansible's workers are in sessions of their own."""
    for each in [pid, *descendants(pid)]:
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue
