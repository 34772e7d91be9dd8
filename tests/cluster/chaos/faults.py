"""What can go wrong on the way: each fault begins when it is entered and is over when it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

from tests.cluster.chaos.site import Site

Run = subprocess.Popen[str]
UNTIL_THE_END = 3600.0  # seconds: longer than any run


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: what happens.
        happens: takes the site, the host and the run of `up`.
        holds: seconds that it lasts, unless the run ends before.
        where: which hosts it may hit: ``any``, ``control plane``, ``worker``.
        silent: whether the run cannot say anything about it.
        ships: whether it needs binaries on their way to the host.
        stops: whether no run can succeed that meets it.
    """

    name: str
    happens: Callable[[Site, str, Run], AbstractContextManager[None]]
    holds: float = 0.0
    where: str = "any"
    silent: bool = False
    ships: bool = False
    stops: bool = False


@contextmanager
def _kill(site: Site, host: str, run: Run) -> Iterator[None]:
    run.kill()
    yield


@contextmanager
def _end_sessions(site: Site, host: str, run: Run) -> Iterator[None]:
    for pid in site.sessions(host):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    yield


@contextmanager
def _rules(site: Site, host: str, rules: list[str]) -> Iterator[None]:
    for rule in rules:
        site.inside(host, f"iptables -w 5 -I {rule}")
    try:
        yield
    finally:
        for rule in rules:
            site.inside(host, f"iptables -w 5 -D {rule}")


def _refuse_ssh(site: Site, host: str, run: Run) -> AbstractContextManager[None]:
    return _rules(site, host, ["INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset"])


def _swallow_ssh(site: Site, host: str, run: Run) -> AbstractContextManager[None]:
    return _rules(site, host, ["INPUT -p tcp --dport 22 -j DROP"])


def _cut_network(site: Site, host: str, run: Run) -> AbstractContextManager[None]:
    others = [address for name, address in site.addresses.items() if name != host]
    rules = [rule for address in others for rule in (f"INPUT -s {address} -j DROP", f"OUTPUT -d {address} -j DROP")]
    return _rules(site, host, rules)


@contextmanager
def _power_off(site: Site, host: str, run: Run) -> Iterator[None]:
    site.lab.power_off(host)
    try:
        yield
    finally:
        site.lab.power_on(host)


@contextmanager
def _pause(site: Site, host: str, run: Run) -> Iterator[None]:
    site.lab.pause(host)
    try:
        yield
    finally:
        site.lab.resume(host)


def _full(directory: str) -> Callable[[Site, str, Run], AbstractContextManager[None]]:
    """A small file system takes a directory's place, so that the machine's own disk is not filled."""

    @contextmanager
    def fill(site: Site, host: str, run: Run) -> Iterator[None]:
        site.inside(host, f"mkdir -p {directory} && mount -t tmpfs -o size=64k,mode=1777 kubikk-full {directory}")
        site.inside(host, f"head -c 1M /dev/zero > {directory}/full 2>/dev/null", check=False)
        try:
            yield
        finally:
            site.inside(host, f"umount -l {directory}")

    return fill


@contextmanager
def _corrupt(site: Site, host: str, run: Run) -> Iterator[None]:
    """Turns a byte of every file that arrives, while it does."""
    staging = site.root(host) / "var/tmp/kubikk-staging-root"
    over = threading.Event()

    def watch() -> None:
        done: set[str] = set()
        while not over.wait(0.005):
            try:
                arriving = [path for path in staging.iterdir() if path.name not in done]
            except OSError:
                continue
            for path in arriving:
                with suppress(OSError), path.open("r+b") as stream:
                    stream.seek(1000)
                    byte = stream.read(1)
                    if byte:
                        stream.seek(1000)
                        stream.write(bytes([byte[0] ^ 0xFF]))
                        done.add(path.name)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


KILL = Fault("kubikk is killed", _kill, silent=True, stops=True)
SESSIONS = Fault("SSH sessions end", _end_sessions)
REFUSED = Fault("SSH is refused for 4 s", _refuse_ssh, holds=4)
SWALLOWED = Fault("SSH packets are lost for 8 s", _swallow_ssh, holds=8)
POWER = Fault("the power goes for 12 s", _power_off, holds=12)
POWER_LONG = Fault("the power goes until the run ends", _power_off, holds=UNTIL_THE_END)
PAUSE = Fault("the host hangs for 6 s", _pause, holds=6)
PAUSE_LONG = Fault("the host hangs until the run ends", _pause, holds=UNTIL_THE_END)
NETWORK = Fault("the network between hosts is cut for 8 s", _cut_network, holds=8)
NETWORK_LONG = Fault("the network between hosts is cut until the run ends", _cut_network, holds=UNTIL_THE_END)
DISK_TRANSIT = Fault(
    "the disk is full where files arrive", _full("/var/tmp"), holds=UNTIL_THE_END, ships=True, stops=True
)
DISK_BINARIES = Fault(
    "the disk is full where binaries go", _full("/opt/kubikk/kubelet"), holds=UNTIL_THE_END, ships=True, stops=True
)
DISK_RECORDS = Fault("the disk is full where restarts are noted", _full("/var/lib/kubikk"), holds=UNTIL_THE_END)
CORRUPT = Fault("files are damaged in transit", _corrupt, holds=UNTIL_THE_END, ships=True, stops=True)
