"""Host keys in known_hosts files, as sshd(8) describes their format."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kubikk.errors import KubikkError

_DEFAULT_PORT = 22
_HASHED = "|1|"


class Verdict(Enum):
    """What known_hosts says of a key that a server shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Entry:
    """A line.

    Attributes:
        marker: "", ``@revoked`` or ``@cert-authority``.
        patterns: its hosts, as written.
        kind: the key's type, for example ssh-ed25519.
        key: the key in base64.
        place: file and line, for messages.
    """

    marker: str
    patterns: str
    kind: str
    key: str
    place: str

    def names(self, name: str) -> bool:
        """Whether the line is about a host; ``name`` as in ``lookup_name``."""
        if self.patterns.startswith(_HASHED):
            return _matches_hash(self.patterns, name)
        hit = False
        for pattern in self.patterns.split(","):
            negated = pattern.startswith("!")
            if _matches(pattern.removeprefix("!").lower(), name):
                if negated:
                    return False
                hit = True
        return hit


def _matches(pattern: str, name: str) -> bool:
    # Only * and ? are wildcards; brackets belong to [host]:port.
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _matches_hash(pattern: str, name: str) -> bool:
    salt, _, digest = pattern.removeprefix(_HASHED).partition("|")
    try:
        key, wanted = base64.b64decode(salt), base64.b64decode(digest)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.new(key, name.encode(), hashlib.sha1).digest(), wanted)


def lookup_name(host: str, port: int) -> str:
    """The name a server has in known_hosts."""
    return host.lower() if port == _DEFAULT_PORT else f"[{host.lower()}]:{port}"


def parse(text: str, file: str) -> list[Entry]:
    """Reads a known_hosts file; lines that are no entries are skipped, as ssh does."""
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) >= 3 and not words[0].startswith("#"):
            entries.append(Entry(marker, words[0], words[1], words[2], f"{file}:{number}"))
    return entries


def read(paths: Iterable[Path]) -> list[Entry]:
    """Reads known_hosts files; those that do not exist are skipped.

    Raises:
        KubikkError: one cannot be read.
    """
    entries = []
    for path in paths:
        try:
            text = path.read_text(errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise KubikkError(f"The known_hosts file {path} cannot be read", cause=str(error)) from error
        entries += parse(text, str(path))
    return entries


def about(entries: Iterable[Entry], host: str, port: int, alias: str = "") -> list[Entry]:
    """The entries that decide about a server.

    Args:
        entries: all entries.
        host: the name or address connected to.
        port: the port connected to.
        alias: the name that takes the place of both, or "".
    """
    everything = list(entries)
    names = [alias] if alias else [lookup_name(host, port)]
    found = [entry for entry in everything if any(entry.names(name) for name in names)]
    if found or alias or port == _DEFAULT_PORT:
        return found
    # As ssh does: a server on another port is trusted with the key of the host itself.
    return [entry for entry in everything if entry.names(host.lower())]


def judge(entries: Iterable[Entry], kind: str, key: str) -> tuple[Verdict, str]:
    """What entries about a server say of its key.

    Args:
        entries: from ``about``.
        kind: the key's type.
        key: the key in base64.

    Returns:
        The verdict, and the place of the entry that decided, or "".
    """
    plain = []
    for entry in entries:
        if entry.marker == "@revoked" and entry.key == key:
            return Verdict.REVOKED, entry.place
        if not entry.marker:
            plain.append(entry)
    for entry in plain:
        if (entry.kind, entry.key) == (kind, key):
            return Verdict.KNOWN, entry.place
    if plain:
        return Verdict.CHANGED, plain[0].place
    return Verdict.UNKNOWN, ""


def preferred_algorithms(entries: Iterable[Entry], offered: Iterable[str]) -> list[str]:
    """Signature algorithms in the order to ask a server for: those of known keys first.

    A server has keys of several types; it must be asked for one that can be checked.
    """
    kinds = {entry.kind for entry in entries if not entry.marker}
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    return sorted(offered, key=lambda algorithm: algorithm not in kinds)
