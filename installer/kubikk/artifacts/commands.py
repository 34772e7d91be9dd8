"""Runs the programs a build consists of; all of them end when the build is given up."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kubikk.errors import KubikkError

_LAST_LINES = 20


class Commands:
    """Starts programs and can end all of them, from another thread."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._cancelled = False

    def run(
        self,
        command: Sequence[str],
        *,
        what: str,
        remedy: str = "",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Runs a program to its end and returns its standard output.

        Args:
            command: program and arguments.
            what: what it does, for the error message: "could not <what>".
            remedy: what to do when it fails.
            env: the whole environment; by default this process's.
            cwd: working directory.
            on_line: called with every line of its standard error, from another thread.

        Raises:
            KubikkError: it cannot be started, fails, or the build was given up.
        """
        process = self._start(command, what, env, cwd)
        last: deque[str] = deque(maxlen=_LAST_LINES)

        def read_errors() -> None:
            for line in process.stderr or ():
                last.append(line.rstrip())
                if on_line:
                    on_line(line.rstrip())

        reader = threading.Thread(target=read_errors, daemon=True)
        reader.start()
        try:
            output = process.stdout.read() if process.stdout else ""
            status = process.wait()
            reader.join()
        except BaseException:
            _end(process)
            raise
        finally:
            with self._guard:
                self._running.discard(process)
        if status != 0:
            if self._cancelled:
                raise KubikkError(f"{what}: given up")
            cause = "\n".join(last) or f"{command[0]} ended with status {status}"
            raise KubikkError(f"could not {what}", cause=cause, remedy=remedy or None)
        return output

    def cancel(self) -> None:
        """Ends everything that runs and lets nothing more start."""
        with self._guard:
            self._cancelled = True
            running = list(self._running)
        for process in running:
            _end(process)

    def _start(
        self, command: Sequence[str], what: str, env: Mapping[str, str] | None, cwd: Path | None
    ) -> subprocess.Popen[str]:
        with self._guard:
            if self._cancelled:
                raise KubikkError(f"{what}: given up")
            program = shutil.which(command[0])
            if program is None:
                raise KubikkError(f"could not {what}", cause=f"there is no program {command[0]}")
            try:
                process = subprocess.Popen(
                    [*_dying_with_this_process(), program, *command[1:]],
                    env=dict(env) if env is not None else None,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,  # the compilers it starts end with it
                )
            except OSError as error:
                raise KubikkError(f"could not {what}", cause=f"{command[0]}: {error.strerror}") from error
            self._running.add(process)
            return process


def _dying_with_this_process() -> list[str]:
    """What makes a compiler end even if this process is killed and cannot end it; util-linux, so nearly everywhere."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


def _end(process: subprocess.Popen[str]) -> None:
    """SIGTERM to the program and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
