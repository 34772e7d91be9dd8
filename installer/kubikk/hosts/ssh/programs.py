"""Runs Python programs on a host: fed through standard input, as root if need be, answering in JSON.

Nothing is copied to the host, and nothing that is secret is on a command line. sudo's password is sent only when sudo
asks, so that it never reaches anything else that reads standard input.
"""

from __future__ import annotations

import json
import selectors
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import paramiko

from kubikk.error_codes import SUDO_REFUSED, UNREACHABLE
from kubikk.errors import KubikkError

TIMEOUT = 60.0  # seconds
_OLDEST_PYTHON = (3, 9)
_READY = "kubikk-ready"
_PROMPT = "kubikk-password:"
_POLL = 0.5  # seconds

# Says that it is there (so sudo has been passed), reads the program, tells the time for measuring clocks, runs it.
_BOOTSTRAP = f"""
import json, sys, time
print("{_READY} %d.%d" % sys.version_info[:2], flush=True)
line = sys.stdin.readline()
if line:
    print(repr(time.time()), flush=True)
    sent = json.loads(line)
    exec(compile(sent["program"], "kubikk", "exec"), {{"__name__": "__main__", "INPUT": sent["input"]}})
"""


@dataclass(frozen=True)
class Answer:
    """What a program answered.

    Attributes:
        data: its JSON.
        clock: seconds that the host's clock is ahead of this machine's; negative if behind.
        clock_error: seconds by which ``clock`` may be wrong: half the time that the measuring took.
    """

    data: Any
    clock: float
    clock_error: float


def command(become: bool, password: bool) -> str:
    """The command line that a host is given.

    Args:
        become: whether to become root with sudo.
        password: whether there is a password to give to sudo.
    """
    python = ["python3", "-c", _BOOTSTRAP.strip()]
    if not become:
        return shlex.join(python)
    # -k: what sudo remembers of another login must not hide that a password is wrong.
    sudo = ["sudo", "-k", "-S", "-p", _PROMPT] if password else ["sudo", "-n"]
    return shlex.join([*sudo, "--", *python])


class Conversation:
    """A program that runs on a host, and lines exchanged with it.

    Args:
        transport: connection to the host.
        host: its name in the cluster file.
        become: whether to become root with sudo.
        password: sudo's, or None.
        timeout: seconds that all of it may take.
    """

    def __init__(
        self, transport: paramiko.Transport, host: str, *, become: bool, password: str | None, timeout: float = TIMEOUT
    ) -> None:
        self._host = host
        self._password = password if become else None
        self._deadline = time.monotonic() + timeout
        self._timeout = timeout
        self._out = bytearray()
        self._err = bytearray()
        try:
            self._channel = transport.open_session(timeout=timeout)
            self._channel.exec_command(command(become, self._password is not None))
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._broken(f"no command can be started: {error}") from error

    def allow(self, seconds: float) -> None:
        """Gives what follows so much time, whatever went before."""
        self._timeout = seconds
        self._deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Ends the conversation; the program sees the end of its input."""
        self._channel.close()

    def start(self, program: str, data: Mapping[str, Any]) -> tuple[float, float]:
        """Waits for Python (and sudo), and sends the program.

        Args:
            program: source text.
            data: what it finds as ``INPUT``.

        Returns:
            ``clock`` and ``clock_error`` as in ``Answer``.

        Raises:
            KubikkError: sudo or Python do not work there.
        """
        ready = self.line()
        word, _, version = ready.partition(" ")
        if word != _READY:
            raise self._broken(f"instead of the expected answer it says: {ready[:200]}")
        if tuple(int(part) for part in version.split(".")) < _OLDEST_PYTHON:
            raise KubikkError(
                f"{self._host} has Python {version}, which is too old",
                host=self._host,
                cause="python3 has to be 3.9 or newer",
                remedy="Use a newer release of its distribution.",
            )
        before = time.time()
        self.send(json.dumps({"program": program, "input": dict(data)}))
        there, after = self.line(), time.time()
        try:
            return float(there) - (before + after) / 2, (after - before) / 2
        except ValueError:
            raise self._broken(f"instead of the time it says: {there[:200]}") from None

    def send(self, text: str) -> None:
        """Sends a line.

        Raises:
            KubikkError: the connection is broken.
        """
        try:
            self._channel.settimeout(max(0.1, self._deadline - time.monotonic()))
            self._channel.sendall(text.encode() + b"\n")
        except OSError as error:
            raise self._broken(f"what is sent does not arrive: {error or type(error).__name__}") from error

    def line(self) -> str:
        """The next line the program writes.

        Raises:
            KubikkError: it ended, or time is up.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            while b"\n" not in self._out:
                ended = self._channel.exit_status_ready()
                if not self._receive() and ended:
                    raise self._ended()
                if b"\n" in self._out:
                    break
                if time.monotonic() > self._deadline:
                    raise self._broken(f"no answer within {self._timeout:.0f} s")
                if not ended:
                    selector.select(_POLL)
        line, _, rest = bytes(self._out).partition(b"\n")
        self._out = bytearray(rest)
        return line.decode(errors="replace")

    def _receive(self) -> bool:
        """Takes what has arrived; answers sudo's question. Tells whether there was anything."""
        received = False
        while self._channel.recv_ready():
            data = self._channel.recv(1 << 16)
            self._out += data
            received = received or bool(data)
        while self._channel.recv_stderr_ready():
            data = self._channel.recv_stderr(1 << 16)
            self._err += data
            received = received or bool(data)
        if _PROMPT.encode() in self._err:
            self._err = self._err.replace(_PROMPT.encode(), b"")
            self._answer_sudo()
        return received

    def _answer_sudo(self) -> None:
        password, self._password = self._password, None
        if password is None:
            # Not tried again: a few wrong passwords lock an account.
            self._channel.close()
            raise KubikkError(
                f"sudo on {self._host} does not accept the password",
                host=self._host,
                cause=self._errors() or None,
                remedy="Type it again; it is the password of the user that logs in there.",
                code=SUDO_REFUSED,
            )
        self.send(password)

    def _errors(self) -> str:
        lines = self._err.decode(errors="replace").splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())[-2000:]

    def _broken(self, cause: str) -> KubikkError:
        remedy = "Look into the host's system log."
        return KubikkError(f"{self._host} does not answer as it should", host=self._host, cause=cause, remedy=remedy)

    def _ended(self) -> KubikkError:
        """Why the program ended before it had said everything."""
        return explain_end(self._host, self._channel.recv_exit_status(), self._errors())


def explain_end(host: str, status: int, errors: str) -> KubikkError:
    """The error for a program that ended early.

    Args:
        host: the host's name.
        status: exit status; -1 where the connection broke.
        errors: what was written to standard error.
    """
    said = errors.lower()
    last = errors.splitlines()[-1] if errors else ""
    message, cause, remedy = f"A program on {host} failed", errors or f"exit status {status}", ""
    code = None
    if "password is required" in said or "no password was provided" in said or "terminal is required" in said:
        message, cause = f"sudo on {host} wants a password", last
        remedy = "Give it with --ask-become-pass, or allow sudo without one (NOPASSWD)."
    elif "incorrect password" in said or "sorry, try again" in said:
        message, cause = f"sudo on {host} does not accept the password", last
        remedy = "Type it again; it is the password of the user that logs in there."
    elif "you must have a tty" in said:
        message, cause = f"sudo on {host} wants a terminal", last
        remedy = "Take `requiretty` out of /etc/sudoers there."
    elif "not in the sudoers file" in said or "may not run sudo" in said or "not allowed to execute" in said:
        message, cause = f"sudo on {host} does not let the user become root", last
        remedy = "Allow it in /etc/sudoers.d there, or log in as root (ssh.user)."
    elif "python3" in said and "not found" in said:
        message, cause = f"{host} has no python3", last
        remedy = "Install the package python3 there."
    elif "sudo" in said and "not found" in said:
        message, cause = f"{host} has no sudo", last
        remedy = "Install the package sudo there, or log in as root (ssh.user)."
    elif status == -1:
        message, cause = f"The connection to {host} broke", errors or "it was closed by the host"
        remedy = "Check that the host is still on."
        code = UNREACHABLE
    if message.startswith("sudo "):
        code = SUDO_REFUSED
    return KubikkError(message, host=host, cause=cause, remedy=remedy or None, code=code)
