"""Where upstream's files lie: at upstream itself, at other addresses, or in a mirror with the same relative paths."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from kubikk.artifacts.cache import sha256_of
from kubikk.artifacts.transfer import NotThereError, Transfer
from kubikk.error_codes import ARTIFACT_UNREACHABLE, CHECKSUM_WRONG
from kubikk.errors import KubikkError

Report = Callable[[int, int | None], None]


class Location(Protocol):
    """Has files under upstream's addresses."""

    def describe(self, url: str) -> str:
        """Where the file of this upstream address is really read from."""

    def trusted(self, url: str) -> bool:
        """Whether a checksum read from here may be believed: not over plain HTTP."""

    def text(self, url: str) -> str:
        """A small text; NotThereError where there is none."""

    def file(self, url: str, checksum: str, directory: Path, report: Report) -> Path:
        """A file with this sha256, to be moved away; may lie in ``directory``. NotThereError where there is none."""


def rewrite(url: str, addresses: Mapping[str, str]) -> str:
    """The address with its beginning replaced by the longest entry that fits, else as it is."""
    fitting = [prefix for prefix in addresses if url == prefix or url.startswith(prefix.rstrip("/") + "/")]
    if not fitting:
        return url
    longest = max(fitting, key=len)
    return addresses[longest].rstrip("/") + url[len(longest.rstrip("/")) :]


def relative_path(url: str) -> str:
    """Where a mirror has an upstream file: host, then path, for example ``dl.k8s.io/release/v1.37.2/…``."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


class Web:
    """Files behind HTTP.

    Args:
        transfer: does the requests.
        address: upstream's address -> the address to ask.
    """

    def __init__(self, transfer: Transfer, address: Callable[[str], str]) -> None:
        self._transfer = transfer
        self._address = address

    def describe(self, url: str) -> str:
        """See `Location`."""
        return self._address(url)

    def trusted(self, url: str) -> bool:
        """See `Location`."""
        parts = urlsplit(self._address(url))
        return parts.scheme == "https" or _is_loopback(parts.hostname or "")

    def text(self, url: str) -> str:
        """See `Location`."""
        response = self._transfer.get(self._address(url))
        if response.url.scheme != "https" and not _is_loopback(response.url.host):
            raise KubikkError(f"{self._address(url)} leads to plain HTTP, where a checksum cannot be believed")
        return response.text

    def file(self, url: str, checksum: str, directory: Path, report: Report) -> Path:
        """See `Location`."""
        return self._transfer.download(self._address(url), checksum, report)


class Directory:
    """Files in a directory of this machine.

    Args:
        root: the directory.

    Raises:
        KubikkError: it does not exist.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise KubikkError(
                f"the mirror {root} is not a directory", remedy="set artifacts.mirror to a directory or an address"
            )
        self._root = root

    def describe(self, url: str) -> str:
        """See `Location`."""
        return str(self._root / relative_path(url))

    def trusted(self, url: str) -> bool:
        """See `Location`."""
        return True

    def text(self, url: str) -> str:
        """See `Location`."""
        return self._path(url).read_text()

    def file(self, url: str, checksum: str, directory: Path, report: Report) -> Path:
        """See `Location`."""
        source = self._path(url)
        report(0, source.stat().st_size)
        target = directory / source.name
        shutil.copyfile(source, target)
        found = sha256_of(target)
        if found != checksum:
            raise KubikkError(
                f"{source} is not the file it should be: it is refused",
                cause=f"sha256 expected {checksum}, found {found}",
                remedy=f"copy it again, or put its own checksum beside it, in {source.name}.sha256",
                code=CHECKSUM_WRONG,
            )
        report(target.stat().st_size, target.stat().st_size)
        return target

    def _path(self, url: str) -> Path:
        path = self._root / relative_path(url)
        if not path.is_file():
            raise NotThereError(
                f"the mirror has no file {path}",
                remedy="put it there, or use another source of artifacts",
                code=ARTIFACT_UNREACHABLE,
            )
        return path


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
