"""A host as programs are run on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import paramiko

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError
from kubikk.hosts.ssh.jumps import Jumps
from kubikk.hosts.ssh.programs import TIMEOUT, Answer, Conversation
from kubikk.hosts.ssh.route import route
from kubikk.hosts.ssh.transport import open_transport


class Connection:
    """An open connection to one host; to be closed, or used in a ``with`` statement.

    Args:
        host: name in the cluster file.
        transport: the connection.
        become: whether programs need sudo to be root.
        become_password: sudo's password, or None.
    """

    def __init__(self, host: str, transport: paramiko.Transport, *, become: bool, become_password: str | None) -> None:
        self.host = host
        self._transport = transport
        self._become = become
        self._password = become_password

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes it; programs that still run see the end of their input."""
        self._transport.close()

    def conversation(self, *, timeout: float = TIMEOUT) -> Conversation:
        """Starts Python there, for a program that is talked with.

        Args:
            timeout: seconds that all of it may take.

        Raises:
            KubikkError: no command can be started.
        """
        return Conversation(self._transport, self.host, become=self._become, password=self._password, timeout=timeout)

    def run(self, program: str, data: Mapping[str, Any], *, timeout: float = TIMEOUT) -> Answer:
        """Runs a program that answers with one line of JSON.

        Args:
            program: source text, for Python 3.9 without further packages.
            data: what it finds as ``INPUT``; anything JSON can hold.
            timeout: seconds it may take.

        Raises:
            KubikkError: sudo or Python do not work there, the program fails, or takes too long.
        """
        talk = self.conversation(timeout=timeout)
        try:
            clock, clock_error = talk.start(program, data)
            line = talk.line()
        finally:
            talk.close()
        try:
            return Answer(json.loads(line), clock, clock_error)
        except ValueError as error:
            cause = f"instead of JSON it says: {line[:200]}"
            raise KubikkError(f"{self.host} does not answer as it should", host=self.host, cause=cause) from error


def connect(cluster: Cluster, host: Host, jumps: Jumps, *, become_password: str | None = None) -> Connection:
    """Connects to a host of a cluster as Ansible would.

    Args:
        cluster: the cluster.
        host: one of its hosts.
        jumps: connections to jump hosts; they outlive this one.
        become_password: sudo's password, where it wants one.

    Raises:
        KubikkError: the host cannot be reached, its key is unknown, or it lets nobody in.
    """
    settings = cluster.connection(host)
    hop = route(settings)
    transport = open_transport(hop, jumps.before(hop, host.name), host.name)
    return Connection(host.name, transport, become=settings.become, become_password=become_password)
