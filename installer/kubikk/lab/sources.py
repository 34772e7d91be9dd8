"""Reads apt's sources of this machine to find the Debian archive it uses; no mirror is named in the project.

Formats: sources.list(5), both the one-line and the deb822 style.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kubikk.errors import KubikkError

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_CODENAMES = "buster|bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|oldstable|oldoldstable"
_SUITE = re.compile(rf"(?:{_CODENAMES})(-updates|-security)?")
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>(?:\s+\S+)*)")
_FETCHABLE = ("http://", "https://", "file:")
_OFF = ("no", "false", "off", "0", "without", "disable")
_NOT_FOR_HOSTS = ("IndexTargets", "CompressionTypes", "Changelogs", "cdrom")


@dataclass(frozen=True)
class Source:
    """One enabled entry for binary packages.

    Attributes:
        uris: base addresses of the archive.
        suites: for example ``bookworm-updates``.
        components: for example ``main``.
        signed_by: path of a keyring, or an inline key, or "" for apt's own trusted keys.
    """

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def render(self) -> str:
        """The entry in deb822 style."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {' '.join(self.components)}",
        ]
        if self.signed_by:
            lines.append(f"Signed-By: {self.signed_by}")
        return "\n".join(lines) + "\n"


def parse_one_line(text: str) -> list[Source]:
    """Entries of a ``*.list`` file."""
    sources = []
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.split("#")[0].strip())
        if match:
            options = dict(option.split("=", 1) for option in (match["options"] or "").split() if "=" in option)
            components = tuple(match["components"].split())
            sources.append(Source((match["uri"],), (match["suite"],), components, options.get("signed-by", "")))
    return sources


def parse_deb822(text: str) -> list[Source]:
    """Entries of a ``*.sources`` file; a value may go on in indented lines, which an inline key does."""
    sources = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = _fields(stanza)
        if fields.get("enabled", "yes").lower() not in _OFF and "deb" in fields.get("types", "").split():
            uris, suites, components = (tuple(fields.get(key, "").split()) for key in ("uris", "suites", "components"))
            sources.append(Source(uris, suites, components, fields.get("signed-by", "")))
    return sources


def _fields(stanza: str) -> dict[str, str]:
    """Values of a stanza by field name in lower case."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            if name:
                fields[name] += f"\n{line}"
        elif ":" in line:
            key, _, value = line.partition(":")
            name = key.strip().lower()
            fields[name] = value.strip()
    return fields


def read_sources(etc_apt: Path) -> list[Source]:
    """All enabled entries of a machine, in apt's order.

    Args:
        etc_apt: normally ``/etc/apt``.
    """
    parts = etc_apt / "sources.list.d"
    files = [etc_apt / "sources.list", *(sorted(parts.iterdir()) if parts.is_dir() else [])]
    sources: list[Source] = []
    for file in files:
        if not file.is_file():
            continue
        if file.suffix == ".list":
            sources += parse_one_line(file.read_text(errors="replace"))
        elif file.suffix == ".sources":
            sources += parse_deb822(file.read_text(errors="replace"))
    return sources


def debian_sources(sources: Iterable[Source], release: str) -> list[Source]:
    """The entries that serve Debian's ``main``, turned to one release.

    An entry whose packages are signed with somebody else's keys is not Debian's, whatever its suite is called.

    Args:
        sources: entries of the machine, whose own release may be another one.
        release: code name, for example ``bookworm``.

    Returns:
        Entries with the suites ``release``, ``release-updates`` and ``release-security``, as far as there are such.

    Raises:
        KubikkError: no entry serves the release itself.
    """
    found = []
    for source in sources:
        matches = [_SUITE.fullmatch(suite) for suite in source.suites]
        suites = tuple(dict.fromkeys(f"{release}{match[1] or ''}" for match in matches if match))
        uris = tuple(uri for uri in source.uris if uri.startswith(_FETCHABLE))
        debian = not source.signed_by.startswith("/") or "debian-archive" in source.signed_by
        if suites and uris and debian and "main" in source.components:
            found.append(replace(source, uris=uris, suites=suites, components=("main",)))
    if not any(release in source.suites for source in found):
        raise KubikkError(
            "This machine's apt sources have no entry for Debian's archive, component main",
            remedy="The lab's hosts run Debian: add a Debian source to /etc/apt/sources.list.d "
            "(signed by debian-archive-keyring), then try again.",
        )
    return list(dict.fromkeys(found))


def archive(sources: Iterable[Source], release: str) -> tuple[str, Path]:
    """The address of the archive of a release, and the keyring it is verified with.

    Args:
        sources: what ``debian_sources`` returned.
        release: code name.
    """
    source = next(source for source in sources if release in source.suites)
    keyring = Path(source.signed_by) if source.signed_by.startswith("/") else DEBIAN_KEYRING
    return source.uris[0], keyring


def transfer_settings(dump: str) -> dict[str, str]:
    """The settings of apt that decide how and whether packages can be fetched: proxies, timeouts, date checks.

    Args:
        dump: output of ``apt-config dump Acquire``, lines ``Acquire::Check-Date "false";``.

    Returns:
        Value of each setting; list entries (``Acquire::Languages::``) and empty ones are left out.
    """
    settings = {}
    for line in dump.splitlines():
        match = re.fullmatch(r'(Acquire::\S+[^:\s]) "(.+)";', line.strip())
        if match and match[1].split("::")[1] not in _NOT_FOR_HOSTS:
            settings[match[1]] = match[2]
    return settings
