"""Who has to reach whom, and the program that tries it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import IO, Any

from kubikk.hosts.programs import source
from kubikk.hosts.reachability import PEERS, possible, wanted

from .samples import HOSTS, make_cluster


def pairs(port: int, **settings: Any) -> set[str]:
    return {
        f"{attempt.origin}>{attempt.target}"
        for attempt in wanted(make_cluster(**settings))
        if attempt.port.number == port
    }


def test_who_needs_whom() -> None:
    control = {f"{a}>{b}" for a in ("cp1", "cp2", "cp3") for b in ("cp1", "cp2", "cp3") if a != b}
    assert pairs(2380) == control
    assert pairs(2379) == control
    assert pairs(6443) == control | {f"{a}>{b}" for a in ("w1", "w2") for b in ("cp1", "cp2", "cp3")}
    assert pairs(10250) == control | {f"{a}>{b}" for a in ("cp1", "cp2", "cp3") for b in ("w1", "w2")}
    assert len(pairs(8472)) == 5 * 4
    assert pairs(8472, network={"backend": "host-gw"}) == set()
    assert pairs(10257) == set()


def test_dedicated_etcd() -> None:
    hosts = [
        {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
        {"name": "e1", "address": "10.0.0.31", "roles": ["etcd"]},
        {"name": "e2", "address": "10.0.0.32", "roles": ["etcd"]},
        {"name": "e3", "address": "10.0.0.33", "roles": ["etcd"]},
    ]
    assert pairs(2379, hosts=hosts) == {"cp1>e1", "cp1>e2", "cp1>e3"}
    assert pairs(2380, hosts=hosts) == {f"e{a}>e{b}" for a in (1, 2, 3) for b in (1, 2, 3) if a != b}
    assert pairs(6443, hosts=hosts) == set()


def test_large_clusters_stay_within_bounds() -> None:
    workers = [{"name": f"n{i}", "address": f"10.1.0.{i}", "roles": ["worker"]} for i in range(1, 101)]
    found = pairs(8472, hosts=[*HOSTS, *workers])
    assert len(found) == 105 * PEERS
    targets = [pair.split(">")[1] for pair in found]
    assert {targets.count(name) for name in targets} == {PEERS}


def test_only_what_listens_is_tried() -> None:
    found = possible(make_cluster(), {"cp1": {("tcp", 6443)}, "w1": set(), "w2": {("udp", 8472)}})
    assert {name: [a.target for a in attempts] for name, attempts in found.items()} == {
        "cp1": ["w2"],
        "w1": ["cp1", "w2"],
        "w2": ["cp1"],
    }


class _Program:
    """The program, on this machine."""

    def __init__(self, **settings: Any) -> None:
        data = {"address": "127.0.0.1", "token": "t", "timeout": 1, "lifetime": 20, **settings}
        text = f"INPUT = {data!r}\n" + source("reach").replace("from __future__ import annotations", "")
        self._process = subprocess.Popen(
            [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.listening = self._read()["listening"]

    def _read(self) -> Any:
        stream: IO[str] | None = self._process.stdout
        assert stream
        return json.loads(stream.readline())

    def attempt(self, targets: list[tuple[str, str, int]]) -> list[str]:
        """Tries targets."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"targets": targets}) + "\n")
        self._process.stdin.flush()
        results: list[str] = self._read()["results"]
        return results

    def end(self) -> int:
        """Closes its input, as a broken connection does."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(10)


def test_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        tcp, udp = taken.getsockname()[1], silent.getsockname()[1]
        listener = _Program(listen=[["tcp", 0], ["udp", 0], ["tcp", tcp], ["udp", udp]])
        own = [(protocol, port) for protocol, port in listener.listening]
        # Somebody else's TCP port can be tried, somebody else's UDP port cannot.
        assert [protocol for protocol, _ in own] == ["tcp", "udp", "tcp"]
        assert own[2] == ("tcp", tcp)
        client = _Program(listen=[])
        targets = [(protocol, "127.0.0.1", port) for protocol, port in own]
        refused = [("tcp", "127.0.0.1", 1), ("udp", "127.0.0.1", udp)]
        assert client.attempt(targets + refused) == ["open", "open", "open", "refused", "timeout"]
        assert client.end() == 0
        assert listener.end() == 0


def test_program_on_an_address_that_is_not_the_hosts() -> None:
    program = _Program(address="192.0.2.1", listen=[["tcp", 0]])
    assert program.listening == []
    assert program.end() == 0


def test_program_ends_by_itself() -> None:
    program = _Program(listen=[], lifetime=0.2)
    assert program._process.wait(10) == 1
    program.end()
