"""What is taken out of what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubikk.ansible.redaction import Redactor

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\nabc\n-----END EC PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing of the kind", "nothing of the kind"),
        (f"key:\n{PEM}\nend", "key:\n(secret)\nend"),
        (json.dumps({"msg": PEM, "after": 1}), '{"msg": "(secret)", "after": 1}'),
        (f"token {JWT}", "token (secret)"),
        ("Authorization: Bearer abcdefghijklmnopqrst", "Authorization: Bearer (secret)"),
        ("https://ann:s3cr3t@example.org/x", "https://ann:(secret)@example.org/x"),
        ("https://example.org:8443/x?a=b@c", "https://example.org:8443/x?a=b@c"),
        ("the password is hunter2hunter2.", "the password is (secret)."),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",) * 2,
    ],
)
def test_text(text: str, expected: str) -> None:
    assert Redactor(["hunter2hunter2", "a"])(text) == expected


def test_key_that_was_cut_off_stays_hidden() -> None:
    assert "MHc" not in Redactor()(PEM[:50])


def test_file_is_rewritten_only_where_needed(tmp_path: Path) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    clean.write_text("clean")
    dirty.write_text(PEM)
    before = clean.stat().st_mtime_ns
    for path in (clean, dirty):
        Redactor().file(path)
    assert clean.stat().st_mtime_ns == before
    assert dirty.read_text() == "(secret)"
