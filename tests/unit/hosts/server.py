"""An SSH server in this process: real key exchange, logins and commands, which run on this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import paramiko
from paramiko import common


class Server(paramiko.ServerInterface):
    """Lets one user in with one key, runs commands, and passes connections on."""

    def __init__(self, user: str, key: paramiko.PKey, path: str, *, forwarding: bool) -> None:
        self._user = user
        self._key = key
        self._path = path
        self._forwarding = forwarding
        self.transport: paramiko.Transport | None = None

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        accepted = username == self._user and key.asbytes() == self._key.asbytes()
        return common.AUTH_SUCCESSFUL if accepted else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return common.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        if not self._forwarding:
            return common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        try:
            self._outgoing = socket.create_connection(destination, timeout=5)
        except OSError:
            return common.OPEN_FAILED_CONNECT_FAILED
        threading.Thread(target=self._forward, daemon=True).start()
        return common.OPEN_SUCCEEDED

    def _forward(self) -> None:
        assert self.transport
        channel = self.transport.accept(5)
        assert channel
        outgoing = self._outgoing
        threading.Thread(target=_copy, args=(channel, outgoing), daemon=True).start()
        _copy(outgoing, channel)

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._execute, args=(channel, command), daemon=True).start()
        return True

    def _execute(self, channel: paramiko.Channel, command: bytes) -> None:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command.decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PATH": self._path},
        )

        def feed() -> None:
            assert process.stdin
            try:
                while data := channel.recv(4096):
                    process.stdin.write(data)
            except OSError:
                pass
            process.stdin.close()

        def drain(stream: Any, send: Any) -> None:
            # The client may have left.
            with contextlib.suppress(OSError):
                while data := stream.read(4096):
                    send(data)

        threading.Thread(target=feed, daemon=True).start()
        errors = threading.Thread(target=drain, args=(process.stderr, channel.sendall_stderr), daemon=True)
        errors.start()
        drain(process.stdout, channel.sendall)
        errors.join(5)
        status = process.wait()
        with contextlib.suppress(OSError, EOFError):
            channel.send_exit_status(status)
            channel.close()


def _copy(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)
    for end in (source, sink):
        # The connection that a channel belongs to may have ended.
        with contextlib.suppress(OSError, EOFError):
            end.close()


class Listening:
    """Accepts connections until it is closed.

    Attributes:
        port: where.
        key: the server's host key.
        logins: connections accepted so far.
    """

    def __init__(
        self, user: str, key: paramiko.PKey, host_key: paramiko.PKey, path: str, *, forwarding: bool = True
    ) -> None:
        self.key = host_key
        self.logins = 0
        self._arguments = (user, key, path)
        self._forwarding = forwarding
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.logins += 1
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            server = Server(*self._arguments, forwarding=self._forwarding)
            server.transport = transport
            self._transports.append(transport)
            try:
                transport.start_server(server=server)
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()

    def close(self) -> None:
        """Stops listening and ends all connections."""
        self._socket.close()
        self.drop()

    def drop(self) -> None:
        """Ends all connections."""
        for transport in self._transports:
            transport.close()

    def line(self, name: str = "") -> str:
        """The server's line for known_hosts."""
        return f"{name or f'[127.0.0.1]:{self.port}'} {self.key.get_name()} {self.key.get_base64()}\n"


SUDO = """#!/usr/bin/env python3
import os, sys
arguments = sys.argv[1:]
password = os.environ.get("FAKE_SUDO", "")
command = arguments[arguments.index("--") + 1:]
if password and "-n" in arguments:
    sys.exit("sudo: a password is required")
while password:
    sys.stderr.write(arguments[arguments.index("-p") + 1])
    sys.stderr.flush()
    given = b""
    while not given.endswith(b"\\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("sudo: no password was provided")
        given += byte
    if given.decode().rstrip("\\n") == password:
        break
    print("Sorry, try again.", file=sys.stderr, flush=True)
os.execvp(command[0], command)
"""


def fake_sudo(directory: Path) -> str:
    """A search path on which sudo is one that wants the password in $FAKE_SUDO."""
    program = directory / "sudo"
    program.write_text(SUDO)
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"
