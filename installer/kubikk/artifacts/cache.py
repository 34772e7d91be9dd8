"""The content-addressed cache of artifacts.

Layout below ``<cache>/artifacts``::

    store/<sha256>/<name>                              the files
    index/<origin>/<component>/<version>/<arch>.json   which files make a component, with size and time of change
    locks/, work/, downloads/                          locks, builds under way, downloads that can be resumed

Every file appears by rename after an fsync, so an interrupted run leaves nothing half-written. An index entry is
trusted while its files have the size and the time of change that it recorded; `Cache.verify` reads them in full.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from kubikk.artifacts.models import ArtifactFile, Origin, Wanted
from kubikk.errors import KubikkError
from kubikk.progress import Progress

_PATIENCE = 0.5  # seconds between two looks at whether waiting for a lock still makes sense


class _IndexedFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sha256: str
    size: int
    mtime_ns: int


class IndexEntry(BaseModel):
    """What the cache knows of a component.

    Attributes:
        files: by file name.
        recipe: fingerprint of the recipe that built it; "" for what was downloaded.
        provenance: address and checksum of the download, or what it was built from; for the reader.
    """

    model_config = ConfigDict(extra="forbid")

    files: dict[str, _IndexedFile]
    recipe: str = ""
    provenance: dict[str, Any] = {}


def sha256_of(path: Path) -> str:
    """The checksum of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file by temporary file, fsync and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Cache:
    """The cache below a directory, which is created as needed.

    Args:
        directory: Kubikk's cache directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._root = directory / "artifacts"
        self._store = self._root / "store"
        self._given_up = threading.Event()

    @property
    def downloads(self) -> Path:
        """Where downloads that are under way lie."""
        return self._root / "downloads"

    @property
    def checksums(self) -> Path:
        """The record of checksums read from publishers' lists."""
        return self._root / "published-checksums.json"

    def add(self, path: Path, name: str, *, executable: bool) -> ArtifactFile:
        """Moves a finished file into the store; the file must be on the cache's file system.

        Args:
            path: the file; gone afterwards.
            name: its name in the store.
            executable: whether it is a program.
        """
        path.chmod(0o755 if executable else 0o644)
        checksum = sha256_of(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        target = self._store / checksum / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        return ArtifactFile(path=target, sha256=checksum, size=size)

    def stored(self, sha256: str, name: str) -> ArtifactFile | None:
        """A file of the store, or None if it is not there or was changed."""
        path = self._store / sha256 / name
        if not path.is_file() or sha256_of(path) != sha256:
            return None
        return ArtifactFile(path=path, sha256=sha256, size=path.stat().st_size)

    def lookup(self, wanted: Wanted, origin: Origin, recipe: str = "") -> dict[str, ArtifactFile] | None:
        """The component's files, or None if they are not there, were changed, or were built by another recipe."""
        try:
            entry = IndexEntry.model_validate_json(self._index(wanted, origin).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        if entry.recipe != recipe:
            return None
        found = {}
        for name, file in entry.files.items():
            path = self._store / file.sha256 / name
            try:
                status = path.stat()
            except FileNotFoundError:
                return None
            if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
                return None
            found[name] = ArtifactFile(path=path, sha256=file.sha256, size=file.size)
        return found

    def record(
        self,
        wanted: Wanted,
        origin: Origin,
        files: Mapping[str, ArtifactFile],
        *,
        recipe: str = "",
        provenance: Mapping[str, Any],
    ) -> None:
        """Makes a component known: the last step of obtaining it."""
        entry = IndexEntry(
            files={
                name: _IndexedFile(sha256=file.sha256, size=file.size, mtime_ns=file.path.stat().st_mtime_ns)
                for name, file in sorted(files.items())
            },
            recipe=recipe,
            provenance=dict(provenance),
        )
        write_atomically(self._index(wanted, origin), entry.model_dump_json(indent=2).encode())

    def verify(self) -> list[Path]:
        """Reads every file of the store; removes those whose content is not what their name says and returns them."""
        wrong = [path for path in sorted(self._store.glob("*/*")) if sha256_of(path) != path.parent.name]
        for path in wrong:
            path.unlink()
        return wrong

    @contextlib.contextmanager
    def lock(self, name: str, progress: Progress) -> Iterator[None]:
        """Holds the lock of that name; says so where another run holds it."""
        path = self._root / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.log(f"waiting for another run of kubikk that obtains {name}")
            while not lock.is_locked:
                if self._given_up.is_set():
                    raise KubikkError(f"no longer waiting for another run that obtains {name}: given up") from None
                with contextlib.suppress(Timeout):
                    lock.acquire(timeout=_PATIENCE)
        try:
            yield
        finally:
            lock.release()

    def give_up(self) -> None:
        """Makes everything that waits for a lock of this object end soon, with an error."""
        self._given_up.set()

    @contextlib.contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """An empty directory on the cache's file system, removed afterwards; call it with the lock of that name held.

        What a killed run left behind under the same name is removed first. The new directory has another path, so
        that a compiler that outlived its parent cannot write into it.
        """
        parent = self._root / "work" / name
        shutil.rmtree(parent, ignore_errors=True)
        parent.mkdir(parents=True)
        try:
            yield Path(tempfile.mkdtemp(dir=parent))
        finally:
            shutil.rmtree(parent, ignore_errors=True)

    def published_checksums(self) -> dict[str, str]:
        """Address -> checksum, of everything that was ever read from a publisher's list."""
        try:
            content: dict[str, str] = json.loads(self.checksums.read_bytes())
        except FileNotFoundError:
            return {}
        return content

    def record_checksum(self, url: str, checksum: str, progress: Progress) -> None:
        """Adds a publisher's checksum to the record."""
        with self.lock("published-checksums", progress):
            known = self.published_checksums()
            if known.get(url) != checksum:
                write_atomically(self.checksums, json.dumps(known | {url: checksum}, indent=2, sort_keys=True).encode())

    def _index(self, wanted: Wanted, origin: Origin) -> Path:
        return self._root / "index" / origin / wanted.component / wanted.version / f"{wanted.arch}.json"
