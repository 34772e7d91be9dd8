"""One run at a time per cluster, also from several control nodes: the lock lies on the cluster's own hosts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError, Problem, ProblemsError, RunInterruptedError
from kubikk.holder import refusal, this_run
from kubikk.hosts.probes import on_each
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Connection, Conversation, Jumps, connect

PATH = "/run/kubikk.lock"
LEASE = 60.0
"""Seconds for which a host stays locked without a sign of life of the run: its control node may have lost its power."""

_BEAT = 5.0  # seconds between signs of life
_ANSWER = 20.0  # seconds a host may take to answer one
_PATIENCE = 3.0  # seconds for the lock of a run that was killed a moment ago to be freed
_RETRY = 0.3


class _HostLock:
    """The lock of one host, kept by a program that runs there over a connection of its own."""

    def __init__(self, cluster: Cluster, host: Host, password: str | None, holder: dict[str, str | int]) -> None:
        self.name = host.name
        self._cluster = cluster
        self._host = host
        self._password = password
        self._holder = holder
        self._jumps = Jumps()
        self._connection: Connection | None = None
        self._talk: Conversation | None = None

    def open(self) -> Connection:
        """Connects, unless that is done.

        Raises:
            KubikkError: the host does not answer.
        """
        if self._connection is None:
            self._connection = connect(self._cluster, self._host, self._jumps, become_password=self._password)
        return self._connection

    def acquire(self) -> dict[str, Any] | None:
        """Takes the lock; returns None, or who has it.

        Raises:
            KubikkError: the host does not answer.
        """
        try:
            talk = self.open().conversation(timeout=_ANSWER)
            talk.start(source("lock"), {"path": PATH, "holder": self._holder, "lease": LEASE})
            answer = _answer(talk)
        except KubikkError:
            self.close()
            raise
        if answer["held"]:
            self._talk = talk
            return None
        talk.close()
        return dict(answer["holder"])

    @property
    def held(self) -> bool:
        """Whether the host was locked when it was last heard of."""
        return self._talk is not None

    def beat(self) -> dict[str, Any] | None:
        """Gives a sign of life, or takes the lock again after the connection broke.

        Returns:
            Who else has it; None where this run has it.

        Raises:
            KubikkError: the host does not answer.
        """
        if self._talk is None:
            return self.acquire()
        try:
            self._talk.allow(_ANSWER)
            self._talk.send("")
            self._talk.line()
        except KubikkError:
            self.close()
            return self.acquire()
        return None

    def free(self) -> None:
        """Frees the lock, and keeps the connection."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def close(self) -> None:
        """Frees the lock, and closes the connection."""
        self.free()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._jumps.close()


class _Keeper:
    """Keeps hosts locked while a run goes on, and ends the run should it lose them.

    Args:
        locks: of all control-plane hosts, also of those that do not answer.
        needed: how many of them have to be held.
    """

    def __init__(self, locks: list[_HostLock], needed: int) -> None:
        self._locks = locks
        self._needed = needed
        self._stop = threading.Event()
        self._judging = threading.Lock()
        self._last_enough = time.monotonic()
        self._others: dict[str, int] = {}
        self._threads = [threading.Thread(target=self._keep, args=(lock,), daemon=True) for lock in locks]
        self.lost: dict[str, Any] | None = None

    def start(self) -> None:
        """Begins to give signs of life."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends it; a host that just does not answer is not waited for."""
        with self._judging:
            self._stop.set()
        for thread in self._threads:
            thread.join(timeout=1.0)

    def _keep(self, lock: _HostLock) -> None:
        while not self._stop.wait(_BEAT):
            other = None
            try:
                other = lock.beat()
            except Exception:
                # Of whatever kind: the thread must live on, or the lock would run out unnoticed.
                lock.close()
            self._judge(lock.name, other)

    def _judge(self, name: str, other: dict[str, Any] | None) -> None:
        """Ends the run where another one works there, or where too few hosts have been held for too long."""
        with self._judging:
            now = time.monotonic()
            # A run that is refused at the next host has a host only for a moment.
            self._others[name] = self._others.get(name, 0) + 1 if other is not None else 0
            if sum(lock.held for lock in self._locks) >= self._needed:
                self._last_enough = now
            gone = now - self._last_enough > LEASE
            if self.lost is not None or self._stop.is_set() or not (gone or self._others[name] > 1):
                return
            self.lost = other or {}
            # As Ctrl-C does: the step in hand is finished.
            os.kill(os.getpid(), signal.SIGINT)


@contextlib.contextmanager
def hosts_lock(cluster: Cluster, *, become_password: str | None = None, majority: bool = True) -> Iterator[None]:
    """Locks the cluster's control-plane hosts for one run; costs one connection and one program on each.

    The lock is the kernel's own (flock), held by a program on the host that ends with the connection, so a run that
    was killed blocks nobody. Two runs always meet at one host, since each needs a majority. The first host that
    answers is locked before the others, so that of two runs that begin together one gets all.

    Args:
        cluster: the cluster.
        become_password: sudo's password, where it wants one.
        majority: whether most of the control-plane hosts must answer; otherwise those are locked that do.

    Raises:
        KubikkError: another run works on the cluster, says which and since when; or the lock was lost on the way.
        ProblemsError: too few hosts answer.
    """
    hosts = cluster.control_plane_hosts
    holder = this_run()
    locks = {host.name: _HostLock(cluster, host, become_password, holder) for host in hosts}
    try:
        opened = on_each(hosts, lambda host: locks[host.name].open())
        failed = {name: error for name, error in opened.items() if isinstance(error, KubikkError)}
        answering = tuple(host for host in hosts if host.name not in failed)
        needed = len(hosts) // 2 + 1 if majority else min(1, len(answering))
        if len(answering) < needed:
            problems = [
                Problem(_text(error), key=name, remedy=error.remedy or "", code=error.code)
                for name, error in failed.items()
            ]
            raise ProblemsError("too few control-plane hosts answer to lock the cluster", problems)
        _acquire(cluster.name, answering, locks)
        keeper = _Keeper(list(locks.values()), needed)
        keeper.start()
        try:
            yield
        except (KeyboardInterrupt, RunInterruptedError):
            if keeper.lost is None:
                raise
            raise _lost(cluster.name, keeper.lost) from None
        finally:
            keeper.stop()
    finally:
        for lock in locks.values():
            lock.close()


def _acquire(cluster: str, hosts: tuple[Host, ...], locks: dict[str, _HostLock]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        holder = None
        for part in (hosts[:1], hosts[1:]):
            answers = on_each(part, lambda host: locks[host.name].acquire()).values()
            holder = next((answer for answer in answers if isinstance(answer, dict)), None)
            if holder is not None:
                break
            for answer in answers:
                if isinstance(answer, KubikkError):
                    raise answer
        if holder is None:
            return
        for lock in locks.values():
            lock.free()
        if time.monotonic() > deadline:
            more = f"; if its control node is gone, the hosts are free {LEASE:.0f} s after its last sign of life"
            raise refusal(cluster, holder, more)
        time.sleep(_RETRY)


def _answer(talk: Conversation) -> dict[str, Any]:
    line = talk.line()
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise KubikkError("a host does not answer as it should", cause=f"it says: {line[:200]}") from error


def _text(error: KubikkError) -> str:
    return f"{error.message}: {error.cause}" if error.cause else error.message


def _lost(cluster: str, other: dict[str, Any]) -> KubikkError:
    if other:
        return refusal(cluster, other, "; this run lost its lock, finished the step in hand and stopped")
    return KubikkError(
        f"the lock of cluster {cluster} was lost: its control-plane hosts have not answered for {LEASE:.0f} s",
        remedy="see to it that they answer over SSH, then run the same command again; it goes on from here",
    )
