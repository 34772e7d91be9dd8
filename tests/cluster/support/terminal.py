"""A program that asks for a password, and somebody who answers."""

from __future__ import annotations

import os
import pty
import select
import time


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
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)  # noqa: S606 (this is the child, which becomes the program)
    output, asked = b"", False
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1.0)[0]:
                continue
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the program ended, and with it the terminal's other side
                part = b""
            if not part:
                return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), output.decode(errors="replace")
            output += part
            if not asked and b"assword" in output:
                asked = True
                time.sleep(0.2)  # echo is turned off after the question is written
                os.write(terminal, password.encode() + b"\n")
        os.kill(process, 9)
        os.waitpid(process, 0)
        raise TimeoutError(f"{command}: not within {timeout:.0f} s\n{output.decode(errors='replace')}")
    finally:
        os.close(terminal)
