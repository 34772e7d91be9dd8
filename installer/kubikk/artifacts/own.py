"""Programs that the operator brings."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from kubikk.artifacts.cache import Cache, sha256_of
from kubikk.artifacts.models import Arch, Artifact, ArtifactFile, ArtifactSettings
from kubikk.artifacts.transfer import Transfer
from kubikk.errors import KubikkError
from kubikk.progress import Progress


@dataclass(frozen=True)
class OwnProgram:
    """A program, as the cluster file describes it.

    Attributes:
        name: what it is called on hosts.
        source: a file, or an https URL.
        sha256: what it must be.
    """

    name: str
    source: str
    sha256: str


def obtain_own(
    program: OwnProgram, archs: Collection[Arch], settings: ArtifactSettings, progress: Progress
) -> Artifact:
    """Takes a program into the cache, or finds it there.

    Args:
        program: which.
        archs: the architectures it runs on.
        settings: the cache, and how to download.
        progress: told bytes.

    Returns:
        The artifact; its version is the beginning of the checksum.

    Raises:
        KubikkError: it cannot be had, or is not what the checksum says.
    """
    cache = Cache(settings.cache)
    lock = f"own-{program.name}-{program.sha256}"
    with cache.lock(lock, progress), cache.workspace(lock) as work:
        file = cache.stored(program.sha256, program.name)
        if file is None:
            target = work / program.name
            _obtain(program, target, cache, settings, progress)
            file = cache.add(target, program.name, executable=True)
    return _artifact(program, file, archs)


def _artifact(program: OwnProgram, file: ArtifactFile, archs: Collection[Arch]) -> Artifact:
    return Artifact(version=program.sha256[:12], files={arch: {program.name: file} for arch in sorted(archs)})


def _obtain(program: OwnProgram, target: Path, cache: Cache, settings: ArtifactSettings, progress: Progress) -> None:
    if program.source.startswith("https://"):
        progress.start(program.source, None, "bytes")
        with Transfer(settings, cache.downloads) as transfer:
            downloaded = transfer.download(
                program.source, program.sha256, lambda done, _: progress.advance(program.source, done)
            )
        downloaded.replace(target)
        progress.finish(program.source)
        return
    shutil.copyfile(program.source, target)
    if (found := sha256_of(target)) != program.sha256:
        raise KubikkError(
            f"{program.source} is not the program that the cluster file means",
            cause=f"sha256 expected {program.sha256}, found {found}",
            remedy="put the right one there, or correct cloud.program.sha256",
        )
