"""Files on disk: each one whole or not at all, and only where something differs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kubikk.errors import KubikkError
from kubikk.inventory.rendering import MARK

_HOST_VARS = "host_vars"
_SUFFIX = ".kubikk-new"


def write(files: Mapping[str, tuple[str, int]], directory: Path) -> list[Path]:
    """Brings a directory to what the files say.

    Args:
        files: text and mode by relative path.
        directory: made if missing.

    Returns:
        Files that were written or removed.

    Raises:
        KubikkError: the directory cannot be written.
    """
    try:
        return [*_write_all(files, directory), *_remove_gone(files, directory)]
    except OSError as error:
        where = error.filename or directory
        raise KubikkError(
            f"the inventory cannot be written: {where}: {(error.strerror or str(error)).lower()}",
            remedy=f"See that you may write to {directory} and that there is room.",
        ) from error


def _write_all(files: Mapping[str, tuple[str, int]], directory: Path) -> Iterator[Path]:
    for relative, (text, mode) in files.items():
        path = directory / relative
        if not _is_as_wanted(path, text.encode(), mode):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, text.encode(), mode)
            yield path


def _is_as_wanted(path: Path, content: bytes, mode: int) -> bool:
    try:
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == mode and path.read_bytes() == content
    except FileNotFoundError:
        return False


def replace(path: Path, content: bytes, mode: int) -> None:
    """Gives a file another content, at once or not at all."""
    # The name is always the same, so that an interrupted run leaves nothing that the next one does not overwrite.
    temporary = path.with_name(f".{path.name}{_SUFFIX}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    """Makes the renaming itself survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_gone(files: Iterable[str], directory: Path) -> Iterator[Path]:
    wanted = {directory / relative for relative in files}
    for path in sorted((directory / _HOST_VARS).glob("*.yml")):
        if path not in wanted and path.is_file() and path.read_bytes().startswith(MARK.encode()):
            path.unlink()
            yield path
