"""Files of the PKI directory: written whole or not at all, readable by their owner only where they are secret."""

from __future__ import annotations

import os
from pathlib import Path

from kubikk.errors import KubikkError

PUBLIC = 0o644
SECRET = 0o600
_DIRECTORY = 0o700


def make_directory(path: Path) -> None:
    """Makes a directory and the missing ones above it, each for its owner only; closes one that is open to others.

    Raises:
        KubikkError: it cannot be made.
    """
    try:
        missing = [entry for entry in (path, *path.parents) if not entry.exists()]
        for entry in reversed(missing):
            entry.mkdir(mode=_DIRECTORY)
        if path.stat().st_mode & 0o077:
            path.chmod(_DIRECTORY)
    except OSError as error:
        raise KubikkError(f"The directory {path} cannot be made", cause=str(error)) from error


def write(path: Path, content: bytes, mode: int, *, durable: bool = False) -> None:
    """Writes a file so that whoever reads it, also after a crash, sees the old content or the new, never a part.

    Args:
        path: the file; its directory exists.
        content: all of it.
        mode: permissions, ``PUBLIC`` or ``SECRET``.
        durable: return only when the name, too, survives a power cut.

    Raises:
        KubikkError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        if durable:
            _sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise KubikkError(f"{path} cannot be written", cause=str(error)) from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> bytes | None:
    """The content of a file, or None where there is none.

    Raises:
        KubikkError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KubikkError(f"{path} cannot be read", cause=str(error)) from error


def close_to_others(path: Path) -> bool:
    """Takes a secret file's permissions from everybody but its owner; tells whether that was needed."""
    if path.stat().st_mode & 0o077:
        path.chmod(SECRET)
        return True
    return False


def remove_unfinished(directory: Path) -> None:
    """Removes what a killed run left behind of files it did not finish; a key may be among them."""
    for path in directory.rglob(".*"):
        if path.is_file() and path.suffix[1:].isdigit() and int(path.suffix[1:]) != os.getpid():
            path.unlink(missing_ok=True)
