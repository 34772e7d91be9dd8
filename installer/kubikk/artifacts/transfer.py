"""Downloads over HTTP: resumed where they broke off, tried again a bounded number of times, verified."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from kubikk.artifacts.cache import sha256_of
from kubikk.artifacts.models import ArtifactSettings
from kubikk.error_codes import ARTIFACT_UNREACHABLE, CHECKSUM_WRONG
from kubikk.errors import KubikkError

_LONGEST_PAUSE = 30.0
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_SMALL = 8 << 20  # manifests and checksum lists are far below this
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Result = TypeVar("Result")
# Called with a 401 response; returns the headers to try again with, or None.
Challenge = Callable[[httpx.Response], Mapping[str, str] | None]


class NotThereError(KubikkError):
    """The server says that it has no such file."""


class _PassingError(Exception):
    """An attempt failed in a way that may pass."""


class Transfer:
    """Does the HTTP requests of a run; may be used from several threads. A context manager.

    Args:
        settings: timeouts and attempts.
        directory: where unfinished downloads are kept.
    """

    def __init__(self, settings: ArtifactSettings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self._cancelled = threading.Event()
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        # As they are stored, not compressed on the way: sizes and ranges must mean the file's bytes.
        headers = {"Accept-Encoding": "identity", "User-Agent": "kubikk"}
        self._client = httpx.Client(follow_redirects=True, timeout=timeout, headers=headers)

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def cancel(self) -> None:
        """Makes all downloads end soon, with an error; what they have is kept."""
        self._cancelled.set()

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, challenge: Challenge | None = None
    ) -> httpx.Response:
        """A small document, in full.

        Args:
            url: its address.
            headers: of the request.
            challenge: answers a demand for authentication.

        Raises:
            NotThereError: status 404.
            KubikkError: anything else, after the last attempt.
        """

        def attempt() -> httpx.Response:
            response = self._answered(url, dict(headers or {}), challenge)
            try:
                content = b""
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > _SMALL:
                        raise KubikkError(f"{url} is larger than a document of its kind can be")
                return httpx.Response(
                    response.status_code, headers=response.headers, content=content, request=response.request
                )
            finally:
                response.close()

        return self._repeat(url, attempt, lambda: 0)

    def download(
        self,
        url: str,
        checksum: str,
        report: Callable[[int, int | None], None],
        challenge: Challenge | None = None,
    ) -> Path:
        """A file, in the directory of downloads; the caller moves it away. Call it with a lock held.

        Args:
            url: its address.
            checksum: the sha256 it must have.
            report: called with the bytes there and the bytes expected, None while unknown.
            challenge: answers a demand for authentication.

        Raises:
            NotThereError: status 404.
            KubikkError: it cannot be downloaded or its content is not what was published.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{hashlib.sha256(f'{url} {checksum}'.encode()).hexdigest()[:32]}.part"

        def size() -> int:
            return path.stat().st_size if path.exists() else 0

        resumed = size() > 0
        self._repeat(url, lambda: self._continue(url, path, report, challenge), size)
        found = sha256_of(path)
        if found != checksum and resumed:
            # What an earlier run left behind may have been the damaged part: once more from the start.
            path.unlink()
            self._repeat(url, lambda: self._continue(url, path, report, challenge), size)
            found = sha256_of(path)
        if found != checksum:
            path.unlink()
            raise KubikkError(
                f"{url} is not the file that was published: it is refused",
                cause=f"sha256 expected {checksum}, found {found}",
                remedy="try again; if it stays so, a proxy or mirror in between serves another file",
                code=CHECKSUM_WRONG,
            )
        return path

    def _continue(
        self, url: str, path: Path, report: Callable[[int, int | None], None], challenge: Challenge | None
    ) -> None:
        offset = path.stat().st_size if path.exists() else 0
        response = self._answered(url, {"Range": f"bytes={offset}-"} if offset else {}, challenge)
        try:
            if response.status_code == 416:  # nothing lies beyond what is there: complete, or not this file
                return
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            mode = "wb"
            if response.status_code == 206:
                match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
                if not match or int(match[1]) != offset:
                    path.unlink()
                    raise _PassingError("the server answered with another part of the file than was asked for")
                mode, total = "ab", int(match[2]) if match[2].isdigit() else None
            else:
                offset = 0
            with path.open(mode) as file:
                done = offset
                report(done, total)
                for chunk in response.iter_raw():  # unchanged chunks: larger ones would be lost when it breaks off
                    if self._cancelled.is_set():
                        raise KubikkError(f"the download of {url} was given up")
                    file.write(chunk)
                    done += len(chunk)
                    report(done, total)
            if total is not None and done != total:
                raise _PassingError(f"it ended after {done} of {total} bytes")
        finally:
            response.close()

    def _answered(self, url: str, headers: dict[str, str], challenge: Challenge | None) -> httpx.Response:
        """A response of status 200, 206 or 416 whose body is still to be read."""
        response = self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
        if response.status_code == 401 and challenge:
            response.close()
            extra = challenge(response)
            if extra is not None:
                # To where the redirections ended, because they would drop the authorization.
                request = self._client.build_request("GET", response.url, headers=headers | dict(extra))
                response = self._client.send(request, stream=True)
        status = response.status_code
        if status in (200, 206, 416):
            return response
        response.close()
        if status in _RETRIED:
            raise _PassingError(f"the server answered {status} {response.reason_phrase}")
        if status == 404:
            raise NotThereError(
                f"{url} does not exist",
                remedy="check the version, or use another source of artifacts",
                code=ARTIFACT_UNREACHABLE,
            )
        raise KubikkError(
            f"could not download {url}",
            cause=f"the server answered {status} {response.reason_phrase}",
            code=ARTIFACT_UNREACHABLE,
        )

    def _repeat(self, url: str, attempt: Callable[[], Result], size: Callable[[], int]) -> Result:
        """Tries until it works; gives up after several attempts in a row that brought the download no further."""
        failures, furthest = 0, size()
        while True:
            try:
                return attempt()
            except (_PassingError, httpx.TransportError) as error:
                failures = failures + 1 if size() <= furthest else 1
                furthest = max(furthest, size())
                if failures >= self._settings.attempts:
                    raise KubikkError(
                        f"could not download {url}",
                        cause=f"{_reason(error)} ({failures} attempts)",
                        # Without the user and password that an address may have.
                        remedy=f"check that this machine reaches {urlsplit(url).netloc.rpartition('@')[2]}, "
                        "or set artifacts.source to mirror or build",
                        code=ARTIFACT_UNREACHABLE,
                    ) from error
            except httpx.HTTPError as error:
                raise KubikkError(
                    f"could not download {url}", cause=_reason(error), code=ARTIFACT_UNREACHABLE
                ) from error
            pause = min(self._settings.backoff * 2 ** (failures - 1), _LONGEST_PAUSE)
            if self._cancelled.wait(pause):
                raise KubikkError(f"the download of {url} was given up")


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    return str(error) or type(error).__name__
