"""Runs on a host: finds firewalls between hosts, by listening for a moment and by connecting to the others.

Talks in lines: says on which ports it can be tried, waits for {targets: [[protocol, address, port]]}, says what came
of each, and goes on listening until its input ends. ``INPUT`` is {address, listen: [[protocol, port]], token,
timeout: seconds per attempt, lifetime: seconds after which it ends in any case}.
"""

# ruff: noqa: B905 - zip() has no strict in Python 3.9

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import sys
import threading
import time
from typing import Any

INPUT: dict[str, Any] = globals().get("INPUT", {})
ATTEMPTS_AT_ONCE = 200
DATAGRAMS_PER_SECOND = 4


def open_listener(protocol: str, port: int) -> socket.socket:
    """A listener on the host's address; OSError where somebody listens there already."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    listener = socket.socket(socket.AF_INET, kind)
    try:
        if protocol == "tcp":
            # A connection of an earlier check that is not yet forgotten is no reason to fail.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((INPUT["address"], port))
        if protocol == "tcp":
            listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def serve(listeners: list[tuple[str, socket.socket]]) -> None:
    """Accepts connections and sends datagrams back, as a daemon thread."""
    token = INPUT["token"].encode()
    selector = selectors.DefaultSelector()
    for protocol, opened in listeners:
        selector.register(opened, selectors.EVENT_READ, protocol)
    while listeners:
        for key, _ in selector.select(1):
            listener: Any = key.fileobj
            try:
                if key.data == "tcp":
                    listener.accept()[0].close()
                else:
                    data, sender = listener.recvfrom(512)
                    # Nothing is sent back to strangers.
                    if data == token:
                        listener.sendto(token, sender)
            except OSError:
                continue


def verdict(number: int) -> str:
    """What an error of connecting means."""
    if number == 0:
        return "open"
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        return "refused"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EPERM, errno.EACCES):
        return "unreachable"
    if number in (errno.ETIMEDOUT, errno.EAGAIN):
        return "timeout"
    return os.strerror(number)


def try_tcp(targets: list[tuple[str, int]]) -> list[str]:
    """Connects to all targets at once."""
    found = ["timeout"] * len(targets)
    deadline = time.monotonic() + INPUT["timeout"]
    with selectors.DefaultSelector() as selector:
        for index, target in enumerate(targets):
            attempt = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            attempt.setblocking(False)
            number = attempt.connect_ex(target)
            if number in (0, errno.EINPROGRESS):
                selector.register(attempt, selectors.EVENT_WRITE, index)
            else:
                found[index] = verdict(number)
                attempt.close()
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                done: Any = key.fileobj
                found[key.data] = verdict(done.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
                selector.unregister(done)
                done.close()
        for key in list(selector.get_map().values()):
            rest: Any = key.fileobj
            rest.close()
    return found


def try_udp(targets: list[tuple[str, int]]) -> list[str]:
    """Sends datagrams to all targets, again and again, until the answers are there."""
    found = ["timeout"] * len(targets)
    if not targets:
        return found
    token = INPUT["token"].encode()
    waiting = {target: index for index, target in enumerate(targets)}
    deadline = time.monotonic() + INPUT["timeout"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind((INPUT["address"], 0))
        asker.settimeout(1.0 / DATAGRAMS_PER_SECOND)
        while waiting and time.monotonic() < deadline:
            for target, index in waiting.items():
                try:
                    asker.sendto(token, target)
                except OSError as error:
                    found[index] = verdict(error.errno or 0)
            until = time.monotonic() + 1.0 / DATAGRAMS_PER_SECOND
            while waiting and time.monotonic() < until:
                try:
                    data, sender = asker.recvfrom(512)
                except OSError:
                    break
                if data == token and sender in waiting:
                    found[waiting.pop(sender)] = "open"
    return found


def attempts(targets: list[Any]) -> list[str]:
    """What came of every target, in their order."""
    found = [""] * len(targets)
    for protocol, trial in (("tcp", try_tcp), ("udp", try_udp)):
        indexes = [index for index, target in enumerate(targets) if target[0] == protocol]
        for start in range(0, len(indexes), ATTEMPTS_AT_ONCE):
            part = indexes[start : start + ATTEMPTS_AT_ONCE]
            results = trial([(targets[index][1], targets[index][2]) for index in part])
            for index, result in zip(part, results):
                found[index] = result
    return found


def main() -> None:
    """Listens, connects, and ends with its input."""
    # Should the connection to the control node hang, nothing must go on listening.
    timer = threading.Timer(INPUT["lifetime"], os._exit, (1,))
    timer.daemon = True
    timer.start()
    opened, busy = [], []
    for protocol, port in INPUT["listen"]:
        try:
            opened.append((protocol, open_listener(protocol, port)))
        except OSError as error:
            # A connection to somebody else's listener tells as much; but nobody else sends our datagrams back.
            if error.errno == errno.EADDRINUSE and protocol == "tcp":
                busy.append([protocol, port])
    threading.Thread(target=serve, args=(opened,), daemon=True).start()
    own = [[protocol, listener.getsockname()[1]] for protocol, listener in opened]
    print(json.dumps({"listening": own + busy}), flush=True)
    line = sys.stdin.readline()
    if line:
        print(json.dumps({"results": attempts(json.loads(line)["targets"])}), flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
