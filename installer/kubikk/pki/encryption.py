"""The keys that Secrets are encrypted with in etcd: one, or two while one takes the other's place.

The file has a line ``NAME KEY`` for each: API servers write with the first and read with all. A line without a name is
the key that every cluster begins with. Names are numbered, so that the order of two tells how far their change has
come: a new key comes second, where it is read only; then first; then the old one goes.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from kubikk.errors import KubikkError
from kubikk.pki import files

_BYTES = 32
_FIRST = "key1"


@dataclass(frozen=True)
class EncryptionKey:
    """A key.

    Attributes:
        name: what Secrets in etcd are marked with, for example ``key1``.
        secret: 32 bytes in base64.
    """

    name: str
    secret: str

    @property
    def number(self) -> int:
        """Counts keys: a later one has a higher number."""
        return int(self.name.removeprefix("key"))


def load_keys(path: Path) -> list[EncryptionKey]:
    """The keys in a file, the one that is written with first; none where there is no file.

    Raises:
        KubikkError: the file holds something else.
    """
    content = files.read(path)
    if content is None:
        return []
    keys = [_key(line.split()) for line in content.decode(errors="replace").splitlines() if line.strip()]
    good = [key for key in keys if key is not None]
    if not good or len(good) != len(keys) or len({key.name for key in good}) != len(good):
        raise KubikkError(
            f"{path} does not hold {_BYTES} bytes in base64",
            remedy="Restore it from a backup: Secrets that were encrypted with it cannot be read without it.",
        )
    return good


def _key(words: list[str]) -> EncryptionKey | None:
    if len(words) not in (1, 2):
        return None
    key = EncryptionKey(words[0] if len(words) == 2 else _FIRST, words[-1])
    try:
        length = len(base64.b64decode(key.secret, validate=True))
        return key if length == _BYTES and key.number > 0 else None
    except ValueError:
        return None


def ensure_keys(path: Path) -> list[Path]:
    """Makes the first key where there is none.

    Returns:
        The files written.

    Raises:
        KubikkError: the file holds something else.
    """
    if load_keys(path):
        return []
    files.write(path, _new_secret().encode() + b"\n", files.SECRET, durable=True)
    return [path]


def with_new_reader(keys: list[EncryptionKey]) -> list[EncryptionKey]:
    """One more key, which is read with and not yet written with."""
    number = max(key.number for key in keys) + 1
    return [*keys, EncryptionKey(f"key{number}", _new_secret())]


def newest_first(keys: list[EncryptionKey]) -> list[EncryptionKey]:
    """The keys, the newest to be written with."""
    return sorted(keys, key=lambda key: key.number, reverse=True)


def write_keys(path: Path, keys: list[EncryptionKey]) -> None:
    """Writes them all, at once or not at all; returns when they survive a power cut."""
    text = "".join(f"{key.name} {key.secret}\n" for key in keys)
    files.write(path, text.encode(), files.SECRET, durable=True)


def _new_secret() -> str:
    return base64.b64encode(os.urandom(_BYTES)).decode()
