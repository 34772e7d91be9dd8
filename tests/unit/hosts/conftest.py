"""A real SSH server for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .server import Listening, fake_sudo
from .site import PASSWORD, Site, make_key


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("FAKE_SUDO", PASSWORD)
    key, path = make_key(tmp_path / "key"), fake_sudo(tmp_path)
    server = Listening("operator", key, make_key(tmp_path / "host_key"), path)
    jump = Listening("jumper", key, make_key(tmp_path / "jump_key"), path)
    here = Site(tmp_path, server, jump)
    here.know(server.line() + jump.line())
    yield here
    server.close()
    jump.close()
