"""Keys of encryption at rest: their order tells how far a change of them has come."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kubikk.errors import KubikkError
from kubikk.pki.encryption import EncryptionKey, ensure_keys, load_keys, newest_first, with_new_reader, write_keys

SECRET = base64.b64encode(bytes(32)).decode()


def test_the_first_key_has_no_name_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "encryption.key"
    assert ensure_keys(file) == [file]
    assert ensure_keys(file) == []
    [key] = load_keys(file)
    assert (key.name, key.number) == ("key1", 1)
    assert file.read_text() == key.secret + "\n"


def test_a_whole_change(tmp_path: Path) -> None:
    file = tmp_path / "encryption.key"
    ensure_keys(file)
    first = load_keys(file)
    write_keys(file, with_new_reader(first))
    both = load_keys(file)
    assert [key.name for key in both] == ["key1", "key2"]
    assert both[0] == first[0]
    assert both[1].secret != first[0].secret
    write_keys(file, newest_first(both))
    assert [key.name for key in load_keys(file)] == ["key2", "key1"]
    write_keys(file, newest_first(both)[:1])
    assert load_keys(file) == [both[1]]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [key.name for key in with_new_reader(load_keys(file))] == ["key2", "key3"]


def test_numbers_are_no_text() -> None:
    keys = [EncryptionKey("key9", SECRET), EncryptionKey("key10", SECRET)]
    assert [key.name for key in newest_first(keys)] == ["key10", "key9"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA\n",
        f"key1 {SECRET} more\n",
        f"mine {SECRET}\n",
        f"key0 {SECRET}\n",
        f"{SECRET}\nkey1 {SECRET}\n",
        "key1\n",
    ],
)
def test_another_content_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "encryption.key"
    file.write_text(text)
    with pytest.raises(KubikkError, match="does not hold 32 bytes"):
        load_keys(file)
