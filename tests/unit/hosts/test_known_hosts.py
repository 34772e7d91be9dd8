"""known_hosts files, in every form that OpenSSH writes or takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kubikk.errors import KubikkError
from kubikk.hosts.ssh.known_hosts import Verdict, about, judge, lookup_name, parse, preferred_algorithms, read

ED, RSA = "ssh-ed25519", "ssh-rsa"
KEY, OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIMZS4PGLNcD4fR7Sx/R5E2MmJGvu2WG755p4Unrgetqg", "AAAAOTHER"
KNOWN, UNKNOWN, CHANGED, REVOKED = Verdict.KNOWN, Verdict.UNKNOWN, Verdict.CHANGED, Verdict.REVOKED

CASES: list[tuple[str, str, int, Verdict]] = [
    (f"a.test {ED} {KEY}", "a.test", 22, KNOWN),
    (f"a.test {ED} {KEY} a comment", "A.Test", 22, KNOWN),
    (f"A.Test {ED} {KEY}", "a.test", 22, KNOWN),
    (f"b.test {ED} {KEY}", "a.test", 22, UNKNOWN),
    (f"a.test,10.0.0.1 {ED} {KEY}", "10.0.0.1", 22, KNOWN),
    (f"10.0.0.11 {ED} {KEY}", "10.0.0.1", 22, UNKNOWN),
    (f"*.test {ED} {KEY}", "a.test", 22, KNOWN),
    (f"10.0.0.? {ED} {KEY}", "10.0.0.7", 22, KNOWN),
    (f"*.test,!a.test {ED} {KEY}", "a.test", 22, UNKNOWN),
    (f"!a.test,*.test {ED} {KEY}", "b.test", 22, KNOWN),
    (f"[a.test]:2222 {ED} {KEY}", "a.test", 2222, KNOWN),
    (f"[a.test]:2222 {ED} {KEY}", "a.test", 22, UNKNOWN),
    (f"[a.test]:2223 {ED} {KEY}", "a.test", 2222, UNKNOWN),
    (f"a.test {ED} {KEY}", "a.test", 2222, KNOWN),
    (f"[a.test]:2222 {ED} {OTHER}\na.test {ED} {KEY}", "a.test", 2222, CHANGED),
    (f"a.test {ED} {OTHER}", "a.test", 22, CHANGED),
    (f"a.test {RSA} {OTHER}", "a.test", 22, CHANGED),
    (f"a.test {ED} {OTHER}\na.test {ED} {KEY}", "a.test", 22, KNOWN),
    (f"a.test {ED} {KEY}\n@revoked * {ED} {KEY}", "a.test", 22, REVOKED),
    (f"@revoked * {ED} {OTHER}\na.test {ED} {KEY}", "a.test", 22, KNOWN),
    (f"@cert-authority *.test {ED} {KEY}", "a.test", 22, UNKNOWN),
    (f"# a.test {ED} {KEY}\n\na.test\n", "a.test", 22, UNKNOWN),
    (f"|1|not base64|x {ED} {KEY}", "a.test", 22, UNKNOWN),
    ("", "a.test", 22, UNKNOWN),
]


@pytest.mark.parametrize(("text", "host", "port", "verdict"), CASES)
def test_verdicts(text: str, host: str, port: int, verdict: Verdict) -> None:
    assert judge(about(parse(text, "file"), host, port), ED, KEY)[0] is verdict


@pytest.mark.parametrize(("name", "port"), [("a.test", 22), ("10.0.0.1", 22), ("a.test", 2222)])
def test_hashed_by_openssh(tmp_path: Path, name: str, port: int) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{lookup_name(name, port)} {ED} {KEY}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert name not in file.read_text()
    assert judge(about(read([file]), name, port), ED, KEY) == (KNOWN, f"{file}:1")
    assert judge(about(read([file]), "b.test", port), ED, KEY)[0] is UNKNOWN


def test_alias_takes_the_place_of_address_and_port() -> None:
    entries = parse(f"alias {ED} {KEY}", "file")
    assert judge(about(entries, "10.0.0.1", 2222, "alias"), ED, KEY)[0] is KNOWN
    assert judge(about(entries, "alias", 22, "other"), ED, KEY)[0] is UNKNOWN


ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", [0, 1, 2, 3]),
        (f"a {RSA} {KEY}", [2, 3, 0, 1]),
        (f"a ecdsa-sha2-nistp256 {KEY}", [1, 0, 2, 3]),
        (f"@revoked a {RSA} {KEY}", [0, 1, 2, 3]),
    ],
)
def test_asks_for_a_key_that_can_be_checked(text: str, order: list[int]) -> None:
    assert preferred_algorithms(parse(text, ""), ALGORITHMS) == [ALGORITHMS[index] for index in order]


def test_files_that_are_missing_or_closed(tmp_path: Path) -> None:
    assert read([tmp_path / "missing", tmp_path / "missing" / "deeper"]) == []
    with pytest.raises(KubikkError, match="cannot be read"):
        read([tmp_path])
