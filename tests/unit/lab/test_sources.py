"""apt's sources of the machine, in both styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.errors import KubikkError
from kubikk.lab.sources import (
    DEBIAN_KEYRING,
    Source,
    archive,
    debian_sources,
    parse_deb822,
    parse_one_line,
    read_sources,
    transfer_settings,
)

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

_DEB822 = f"""\
Types: deb deb-src
# a comment inside
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: {_KEYRING}

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Enabled: no

Types: deb-src
URIs: http://mirror.test/debian
Suites: bookworm
Components: main
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deb http://m.test/debian bookworm main", Source(("http://m.test/debian",), ("bookworm",), ("main",))),
        (
            f"deb [arch=amd64 signed-by={_KEYRING}]  http://m.test/d  bookworm  main non-free # why",
            Source(("http://m.test/d",), ("bookworm",), ("main", "non-free"), _KEYRING),
        ),
        ("deb http://m.test/flat ./", Source(("http://m.test/flat",), ("./",), ())),
        ("# deb http://m.test/debian bookworm main", None),
        ("deb-src http://m.test/debian bookworm main", None),
        ("", None),
    ],
)
def test_one_line_style(line: str, expected: Source | None) -> None:
    assert parse_one_line(line) == ([expected] if expected else [])


def test_deb822_style_leaves_out_what_is_off_or_source_code() -> None:
    assert parse_deb822(_DEB822) == [
        Source(("http://mirror.test/debian",), ("bookworm", "bookworm-updates"), ("main", "contrib"), _KEYRING)
    ]


def test_deb822_style_keeps_an_inline_key() -> None:
    key = " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: http://m.test/d\nSuites: bookworm\nComponents: main\nSigned-By:\n{key}\n"
    (source,) = parse_deb822(text)
    assert source.signed_by == f"\n{key}"
    assert parse_deb822(source.render()) == [source]


def _source(suite: str, *, uri: str = "http://m.test/debian", component: str = "main", signed_by: str = "") -> Source:
    return Source((uri,), (suite,), (component,), signed_by)


@pytest.mark.parametrize(
    "source",
    [
        _source("bookworm", component="stable"),
        _source("bookworm-pgdg"),
        _source("nodistro"),
        _source("noble"),
        _source("bookworm", uri="cdrom:[Debian]"),
        _source("bookworm", signed_by="/usr/share/keyrings/vendor.gpg"),
        _source("bookworm-updates"),
    ],
)
def test_what_is_not_debians_archive_is_refused(source: Source) -> None:
    with pytest.raises(KubikkError, match="no entry for Debian"):
        debian_sources([source], "bookworm")


def test_another_release_of_the_machine_is_turned_to_the_labs() -> None:
    found = debian_sources(
        [_source("trixie"), _source("trixie-security", uri="http://m.test/sec"), _source("trixie-backports")],
        "bookworm",
    )
    assert [source.suites for source in found] == [("bookworm",), ("bookworm-security",)]
    assert archive(found, "bookworm") == ("http://m.test/debian", DEBIAN_KEYRING)


def test_reads_every_file_apt_reads(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.test/debian bookworm main\n")
    (parts / "b.sources").write_text(_DEB822)
    (parts / "a.list").write_text("deb http://two.test/debian bookworm main\n")
    (parts / "c.list.disabled").write_text("deb http://three.test/debian bookworm main\n")
    found = read_sources(tmp_path)
    assert [source.uris[0] for source in found] == [
        "http://one.test/debian",
        "http://two.test/debian",
        "http://mirror.test/debian",
    ]


def test_transfer_settings() -> None:
    dump = """\
Acquire "";
Acquire::Check-Valid-Until "false";
Acquire::http::Proxy "http://proxy.test:3128";
Acquire::cdrom::mount "/media/cdrom/";
Acquire::IndexTargets::deb::Packages::Optional "0";
Acquire::Languages:: "none";
"""
    assert transfer_settings(dump) == {
        "Acquire::Check-Valid-Until": "false",
        "Acquire::http::Proxy": "http://proxy.test:3128",
    }
