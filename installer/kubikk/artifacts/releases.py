"""Obtains components from their projects' release files, wherever those lie."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Catalogue, Component, fill
from kubikk.artifacts.locations import Location
from kubikk.artifacts.models import ArtifactFile, Origin, Wanted
from kubikk.artifacts.published import find_checksum
from kubikk.artifacts.transfer import NotThereError
from kubikk.error_codes import CHECKSUM_WRONG
from kubikk.errors import KubikkError
from kubikk.progress import Progress


@dataclass(frozen=True)
class Checksum:
    """What a file must be.

    Attributes:
        value: sha256, hexadecimal.
        source: ``catalogue``, or the address it was read from.
    """

    value: str
    source: str


class Releases:
    """Obtains release files from one location.

    Args:
        catalogue: addresses and pinned checksums.
        cache: where the results go.
        location: where the files are.
        origin: under which the results are recorded.
        progress: is told bytes.
        own_checksums: whether a file ``<name>.sha256`` beside a release file outranks the catalogue: so in a mirror,
            which may hold what its operator built.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        cache: Cache,
        location: Location,
        origin: Origin,
        progress: Progress,
        *,
        own_checksums: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._location = location
        self._origin = origin
        self._progress = progress
        self._own_checksums = own_checksums

    def component(self, wanted: Wanted) -> dict[str, ArtifactFile]:
        """Downloads, verifies and unpacks a component. Call it with the component's lock held.

        Raises:
            KubikkError: it cannot be had, or is not what was published.
        """
        component = self._catalogue.components[wanted.component]
        url = fill(component.url, version=wanted.version, arch=wanted.arch, name=wanted.component)
        pinned = component.sha256.get(wanted.version, {}).get(wanted.arch)
        published = fill(component.published, version=wanted.version, arch=wanted.arch, name=wanted.component)
        checksum = self._expected(url, pinned, published)
        with self._cache.workspace(lock_name(wanted)) as work:
            release = self._fetch(wanted, url, checksum, work)
            if component.member:
                programs = unpack(release, members(component, wanted), work)
                release.unlink()
            else:
                programs = {next(iter(component.files)): release}
            files = {name: self._cache.add(path, name, executable=True) for name, path in programs.items()}
        self._record(wanted, files, url, checksum)
        return files

    def image_archive(self, wanted: Wanted, url: str) -> dict[str, ArtifactFile]:
        """Takes an image that lies in a mirror as a ready OCI archive. Call it with the component's lock held.

        Raises:
            KubikkError: it cannot be had, or has no checksum beside it.
        """
        checksum = self._expected(url, None, f"{url}.sha256")
        with self._cache.workspace(lock_name(wanted)) as work:
            archive = self._fetch(wanted, url, checksum, work)
            name = f"{wanted.component}.tar"
            files = {name: self._cache.add(archive, name, executable=False)}
        self._record(wanted, files, url, checksum)
        return files

    def component_of_image(self, wanted: Wanted, url: str) -> dict[str, ArtifactFile]:
        """Takes a component out of an image that lies in a mirror as an OCI archive. Call it as `image_archive`.

        Raises:
            KubikkError: the archive cannot be had, has no checksum beside it, or lacks a program.
        """
        checksum = self._expected(url, None, f"{url}.sha256")
        with self._cache.workspace(lock_name(wanted)) as work:
            archive = self._fetch(wanted, url, checksum, work)
            programs = unpack_image(archive, members(self._catalogue.components[wanted.component], wanted), work)
            files = {name: self._cache.add(path, name, executable=True) for name, path in programs.items()}
        self._record(wanted, files, url, checksum)
        return files

    def _expected(self, url: str, pinned: str | None, published: str) -> Checksum:
        sources = [f"{url}.sha256"] if self._own_checksums else []
        if pinned is None:
            sources.append(published)
        for source in dict.fromkeys(sources):
            if not self._location.trusted(source):
                continue
            try:
                text = self._location.text(source)
            except NotThereError:
                continue
            name = url.rsplit("/", 1)[-1]
            found = find_checksum(text, name)
            if found is None:
                raise KubikkError(f"{self._location.describe(source)} holds no sha256 of {name}")
            self._compare_with_record(self._location.describe(url), found)
            return Checksum(found, self._location.describe(source))
        if pinned is not None:
            return Checksum(pinned, "catalogue")
        raise KubikkError(
            f"no checksum of {self._location.describe(url)} is known: it is refused",
            cause=f"the catalogue has none and none can be read, over TLS, from {self._location.describe(sources[-1])}",
            remedy="put it there, or use another source of artifacts",
        )

    def _compare_with_record(self, url: str, found: str) -> None:
        known = self._cache.published_checksums().get(url)
        if known is not None and known != found and not self._own_checksums:
            raise KubikkError(
                f"the publisher's checksum of {url} has changed since it was first read: the file is refused",
                cause=f"sha256 was {known}, is now {found}",
                remedy=f"find out why; to accept the change, remove the entry from {self._cache.checksums}",
                code=CHECKSUM_WRONG,
            )
        self._cache.record_checksum(url, found, self._progress)

    def _fetch(self, wanted: Wanted, url: str, checksum: Checksum, work: Path) -> Path:
        bar = f"download {wanted}"
        known: int | None = None
        self._progress.start(bar, None, "bytes")

        def report(done: int, total: int | None) -> None:
            nonlocal known
            if total is not None and total != known:
                known = total
                self._progress.start(bar, total, "bytes")
            self._progress.advance(bar, done)

        path = self._location.file(url, checksum.value, work, report)
        target = work / "release"
        path.replace(target)
        self._progress.finish(bar)
        return target

    def _record(self, wanted: Wanted, files: Mapping[str, ArtifactFile], url: str, checksum: Checksum) -> None:
        provenance = {
            "url": self._location.describe(url),
            "sha256": checksum.value,
            "sha256_from": checksum.source,
        }
        self._cache.record(wanted, self._origin, files, provenance=provenance)


def lock_name(wanted: Wanted) -> str:
    """Name of the lock under which a component is downloaded."""
    return f"download-{wanted.component}-{wanted.version}-{wanted.arch}"


def members(component: Component, wanted: Wanted) -> dict[str, str]:
    """File name -> path inside the release archive or the image."""
    return {
        name: fill(component.member, version=wanted.version, arch=wanted.arch, name=name) for name in component.files
    }


def unpack_image(archive: Path, members: Mapping[str, str], directory: Path) -> dict[str, Path]:
    """Takes single programs out of an image.

    Args:
        archive: an OCI archive.
        members: file name -> path in the image's root, without a leading slash.
        directory: where the files go, each under its name.

    Raises:
        KubikkError: one is missing, or the archive cannot be read.
    """
    found: dict[str, Path] = {}
    layer = directory / "layer"
    try:
        with tarfile.open(archive) as content:
            index = json.load(_open(content, "index.json"))
            manifest = json.load(_open(content, _blob(index["manifests"][0])))
            # What an upper layer has hides what is below it.
            for descriptor in reversed(manifest["layers"]):
                with layer.open("wb") as file:
                    shutil.copyfileobj(_open(content, _blob(descriptor)), file)
                lacking = {name: path for name, path in members.items() if name not in found}
                found |= _take(layer, lacking, directory)
                layer.unlink()
    except (tarfile.TarError, EOFError, OSError, KeyError, ValueError) as error:
        raise KubikkError("an image cannot be unpacked", cause=str(error)) from error
    return _complete(found, members)


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = archive.extractfile(name)
    if stream is None:
        raise KeyError(f"{name} is no file")
    return stream


def _blob(descriptor: Mapping[str, str]) -> str:
    return f"blobs/{descriptor['digest'].replace(':', '/')}"


def unpack(archive: Path, members: Mapping[str, str], directory: Path) -> dict[str, Path]:
    """Takes single programs out of a tar archive, compressed or not.

    Args:
        archive: the archive.
        members: file name -> path inside, without a leading ``./``.
        directory: where the files go, each under its name.

    Raises:
        KubikkError: one is missing, or the archive cannot be read.
    """
    try:
        found = _take(archive, members, directory)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise KubikkError("a downloaded archive cannot be unpacked", cause=str(error)) from error
    return _complete(found, members)


def _take(archive: Path, members: Mapping[str, str], directory: Path) -> dict[str, Path]:
    names = {path: name for name, path in members.items()}
    found: dict[str, Path] = {}
    with tarfile.open(archive) as content:
        for member in content:
            name = names.get(member.name.removeprefix("./"))
            stream = content.extractfile(member) if name and member.isreg() else None
            if name and stream:
                found[name] = directory / name
                with found[name].open("wb") as file:
                    shutil.copyfileobj(stream, file)
    return found


def _complete(found: dict[str, Path], members: Mapping[str, str]) -> dict[str, Path]:
    missing = sorted(set(members) - set(found))
    if missing:
        looked_for = sorted(members.values())
        raise KubikkError(f"a downloaded archive lacks {', '.join(missing)}", cause=f"looked for {looked_for}")
    return found
