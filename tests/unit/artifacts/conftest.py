"""A web server on the loopback address that misbehaves on request, and a progress that remembers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubikk.artifacts import ArtifactSettings


@dataclass
class Request:
    """What was asked for."""

    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """Files by path, and how the next requests for a path go wrong.

    Attributes:
        address: of the server.
        files: path, with a leading slash -> content.
        faults: path -> one entry per request, in order:
            ``truncate``, ``stall``, ``slow``, ``500``, ``hang-up`` or "" for none.
        types: path -> Content-Type.
        token: if set, paths below /v2/ want it.
        ranges: whether part of a file can be asked for.
        requests: all requests so far.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    token: str = ""
    ranges: bool = True
    requests: list[Request] = field(default_factory=list)

    def asked(self, path: str) -> list[Request]:
        """The requests for a path."""
        return [request for request in self.requests if request.path == path]


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        site, path = self.site, self.path.split("?")[0]
        site.requests.append(Request(self.path, dict(self.headers)))
        faults = site.faults.get(path, [])
        fault = faults.pop(0) if faults else ""
        if fault == "hang-up":
            self.close_connection = True
            return
        if fault.isdigit():
            self.send_error(int(fault))
            return
        if path.startswith("/v2/") and site.token and self.headers.get("Authorization") != f"Bearer {site.token}":
            self.send_response(401)
            realm = f'Bearer realm="{site.address}/token",service="registry",scope="repository:pause:pull"'
            self.send_header("WWW-Authenticate", realm)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = site.files.get(path)
        if content is None:
            self.send_error(404)
            return
        self._send(path, content, fault)

    def _send(self, path: str, content: bytes, fault: str) -> None:
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted and self.site.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        self.send_header("Content-Type", self.site.types.get(path, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "truncate":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif fault == "stall":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            time.sleep(0.5)
            self.close_connection = True
        elif fault == "slow":
            for offset in range(0, len(body), len(body) // 4 + 1):
                self.wfile.write(body[offset : offset + len(body) // 4 + 1])
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(site: Site, tmp_path: Path) -> ArtifactSettings:
    """Upstream's hosts, each at the path of its name on the local server; the registry at its root."""
    hosts = ("dl.k8s.io", "github.com", "api.github.com")
    return ArtifactSettings(
        source="upstream",
        cache=tmp_path / "cache",
        addresses={f"https://{host}": f"{site.address}/{host}" for host in hosts}
        | {"https://registry.k8s.io": site.address},
        attempts=3,
        backoff=0.01,
        connect_timeout=1,
        read_timeout=1,
    )


class Recorder:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[tuple[str, float | None, str]] = []
        self.done: dict[str, list[float]] = {}
        self.finished: dict[str, str] = {}
        self.lines: list[str] = []

    def start(self, name: str, total: float | None = None, unit: str = "") -> None:
        self.started.append((name, total, unit))

    def advance(self, name: str, done: float) -> None:
        self.done.setdefault(name, []).append(done)

    def finish(self, name: str, note: str = "") -> None:
        self.finished[name] = note

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def progress() -> Recorder:
    return Recorder()
