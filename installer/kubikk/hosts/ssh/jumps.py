"""Connections to jump hosts, each shared by all hosts behind it."""

from __future__ import annotations

import threading
from types import TracebackType

import paramiko

from kubikk.errors import KubikkError
from kubikk.hosts.ssh.route import Hop
from kubikk.hosts.ssh.transport import open_transport


class Jumps:
    """Opens each jump host once; an SSH server turns away most of a hundred logins that come at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hop, threading.Lock] = {}
        self._opened: dict[Hop, paramiko.Transport | KubikkError] = {}

    def __enter__(self) -> Jumps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all of them."""
        with self._lock:
            for opened in self._opened.values():
                if isinstance(opened, paramiko.Transport):
                    opened.close()
            self._opened.clear()

    def before(self, hop: Hop, host: str) -> paramiko.Transport | None:
        """The connection to the hop before this one, or None where it is reached directly.

        Args:
            hop: where to.
            host: name in the cluster file of the host this is for.

        Raises:
            KubikkError: the hop before it cannot be reached.
        """
        return self._open(hop.via, host) if hop.via else None

    def _open(self, hop: Hop, host: str) -> paramiko.Transport:
        with self._lock:
            lock = self._locks.setdefault(hop, threading.Lock())
        with lock:
            opened = self._opened.get(hop)
            if opened is None or (isinstance(opened, paramiko.Transport) and not opened.is_active()):
                try:
                    opened = open_transport(hop, self.before(hop, hop.host), f"the jump host {hop.host}")
                except KubikkError as error:
                    # Not tried again for every host behind it.
                    opened = error
                self._opened[hop] = opened
        if isinstance(opened, KubikkError):
            raise KubikkError(
                f"{host} cannot be reached: {opened.message[:1].lower()}{opened.message[1:]}",
                host=host,
                cause=opened.cause,
                remedy=opened.remedy,
                code=opened.code,
            )
        return opened
