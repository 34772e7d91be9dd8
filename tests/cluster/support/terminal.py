"""A program at a terminal, and somebody who types."""

from __future__ import annotations

import os
import pty
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CTRL_C = b"\x03"


class Terminal:
    """A program that runs at a terminal of its own.

    Args:
        process: its process id.
        descriptor: the terminal's other side.
    """

    def __init__(self, process: int, descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self._output = b""
        self._code: int | None = None

    @property
    def output(self) -> str:
        """What it wrote so far."""
        return self._output.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        """Types keys."""
        os.write(self._descriptor, keys)

    def until(self, happened: Callable[[], bool], what: str, *, within: float) -> None:
        """Reads on until something has happened.

        Raises:
            AssertionError: it ended before that, or time is up.
        """
        deadline = time.monotonic() + within
        while not happened():
            assert not self._ended(), f"it ended before {what}:\n{self.output}"
            assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}\n{self.output}"

    def end(self, *, within: float) -> int:
        """Waits for its end; returns its exit code.

        Raises:
            TimeoutError: it did not end.
        """
        deadline = time.monotonic() + within
        while not self._ended():
            if time.monotonic() > deadline:
                raise TimeoutError(f"it did not end within {within:.0f} s\n{self.output}")
        assert self._code is not None
        return self._code

    def _ended(self) -> bool:
        """Takes what was written; tells whether the program is gone."""
        if self._code is None and select.select([self._descriptor], [], [], 0.05)[0]:
            try:
                part = os.read(self._descriptor, 65536)
            except OSError:  # the program ended, and with it the terminal's other side
                part = b""
            self._output += part
            if not part:
                self._code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return self._code is not None

    def close(self) -> None:
        """Ends the program if it still runs."""
        if self._code is None:
            os.kill(self.process, 9)
            os.waitpid(self.process, 0)
        os.close(self._descriptor)


@contextmanager
def at_terminal(command: list[str]) -> Iterator[Terminal]:
    """Runs a program at a terminal."""
    process, descriptor = pty.fork()
    if process == 0:
        os.execvp(command[0], command)  # noqa: S606 (this is the child, which becomes the program)
    terminal = Terminal(process, descriptor)
    try:
        yield terminal
    finally:
        terminal.close()


def answer(command: list[str], password: str, *, timeout: float) -> tuple[int, str]:
    """Runs a program at a terminal and types a password when asked for one.

    Args:
        command: argv.
        password: what to type.
        timeout: seconds until it must have ended.

    Returns:
        Its exit code and what it wrote.

    Raises:
        TimeoutError: it did not end.
    """
    with at_terminal(command) as terminal:
        terminal.until(lambda: "assword" in terminal.output, "it asked for a password", within=timeout)
        time.sleep(0.2)  # echo is turned off after the question is written
        terminal.type(password.encode() + b"\n")
        return terminal.end(within=timeout), terminal.output
