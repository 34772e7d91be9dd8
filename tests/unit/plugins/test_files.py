"""Files on a host: atomic, with owner and mode, and secrets out of sight."""

from __future__ import annotations

import grp
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import files
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kubikk.pki.certificates import Request, pem
from kubikk.pki.keys import new_key, private_pem

OWNER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


def entry(path: Path, text: str, **more: Any) -> dict[str, Any]:
    base = {"path": str(path), "content_base64": files.encoded(text), "owner": OWNER, "group": GROUP}
    return {**base, "mode": "0640", "secret": False, "create_only": False, **more}


def test_written_once(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    changed, diff = files.ensure_file(entry(target, "hello\n"), act=True)
    assert changed
    assert diff["before"] == ""
    assert diff["after"] == "hello\n"
    assert target.read_text() == "hello\n"
    assert target.stat().st_mode & 0o7777 == 0o640
    assert files.ensure_file(entry(target, "hello\n"), act=True) == (False, None)
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_mode_alone_is_mended_in_place(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("x")
    target.chmod(0o666)
    inode = target.stat().st_ino
    changed, diff = files.ensure_file(entry(target, "x"), act=True)
    assert changed
    assert "0666" in diff["before"]
    assert target.stat().st_mode & 0o7777 == 0o640
    assert target.stat().st_ino == inode


@pytest.mark.parametrize("old", ["", "old secret"])
def test_secret_is_in_no_diff(tmp_path: Path, old: str) -> None:
    target = tmp_path / "key"
    if old:
        target.write_text(old)
    _, diff = files.ensure_file(entry(target, "new secret", secret=True), act=True)
    assert "new secret" not in str(diff)
    assert not old or old not in str(diff)
    assert target.read_text() == "new secret"


def test_create_only_respects_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "dated").write_text("rotated")
    target = tmp_path / "current"
    target.symlink_to("dated")
    assert files.ensure_file(entry(target, "first", create_only=True), act=True) == (False, None)
    assert target.read_text() == "rotated"


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file"
    assert files.ensure_file(entry(target, "x"), act=False)[0]
    assert not target.exists()
    assert files.ensure_link(str(tmp_path / "link"), "/target", act=False)
    assert not (tmp_path / "link").is_symlink()


def test_link_is_switched(tmp_path: Path) -> None:
    link = str(tmp_path / "bin" / "tool")
    assert files.ensure_link(link, "/opt/1/tool", act=True)
    assert not files.ensure_link(link, "/opt/1/tool", act=True)
    assert files.ensure_link(link, "/opt/2/tool", act=True)
    assert Path(link).readlink() == Path("/opt/2/tool")


def certificate(path: Path, days: int, authority: str = "kubelet") -> None:
    """A certificate that expires in some days, and something behind it."""
    now = datetime.now(UTC)
    key = new_key()
    name = Request(authority).subject()
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now - timedelta(days=9), now + timedelta(days=days)
    )
    path.write_bytes(pem(builder.sign(key, hashes.SHA256())) + private_pem(key))


@pytest.mark.parametrize(("days", "text"), [(-1, ""), (1, ""), (0, "no certificate")])
def test_a_certificate_is_left_until_it_has_expired(tmp_path: Path, days: int, text: str) -> None:
    target = tmp_path / "current.pem"
    certificate(target, days)
    if text:
        target.write_text(text)
    kept = days > 0
    wanted = entry(target, "new", create_only=True, until_expired=True)
    assert files.is_outdated(wanted) is not kept
    assert files.ensure_file(wanted, act=True)[0] is not kept
    assert (target.read_text() == "new") is not kept
    # Without being told to look, it is left whatever it holds.
    target.write_text("old")
    assert files.ensure_file(entry(target, "new", create_only=True), act=True) == (False, None)


def test_a_link_that_leads_nowhere_is_outdated(tmp_path: Path) -> None:
    target = tmp_path / "current.pem"
    target.symlink_to(tmp_path / "dated.pem")
    assert files.ensure_file(entry(target, "new", create_only=True, until_expired=True), act=True)[0]
    assert target.read_text() == "new"
    assert not target.is_symlink()


@pytest.mark.parametrize(("authority", "replaced"), [("old", False), ("new", True)])
def test_one_of_another_authority_is_replaced(tmp_path: Path, authority: str, *, replaced: bool) -> None:
    target, issued = tmp_path / "current.pem", tmp_path / "issued.pem"
    certificate(target, 9, "old")
    certificate(issued, 9, authority)
    wanted = entry(target, issued.read_text(), create_only=True, until_expired=True)
    assert files.ensure_file(wanted, act=True)[0] is replaced
    assert (target.read_text() == issued.read_text()) is replaced
