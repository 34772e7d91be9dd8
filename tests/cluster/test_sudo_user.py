"""A cluster is installed by a user who is not root, and whose sudo asks for a password."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import PROGRAMS, changes, runs
from tests.cluster.support.terminal import answer

_USER = "deployer"
_PREPARE = (
    "apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install sudo >/dev/null && "
    "useradd --create-home --shell /bin/bash {user} && echo '{user}:{password}' | chpasswd && "
    "echo '{user} ALL=(ALL) ALL' >/etc/sudoers.d/{user} && "
    "install -d -m 700 -o {user} -g {user} ~{user}/.ssh && "
    "install -m 600 -o {user} -g {user} ~/.ssh/authorized_keys ~{user}/.ssh/authorized_keys"
)


class _Watcher:
    """Looks for a word on every command line of the machine, hosts' processes included, until it is closed."""

    def __init__(self, word: str) -> None:
        self._word = word.encode()
        self._end = threading.Event()
        self.found: set[str] = set()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._end.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                if self._word in line:
                    self.found.add(line.replace(b"\0", b" ").decode(errors="replace"))

    def close(self) -> None:
        self._end.set()
        self._thread.join()


def _prepare(own: OwnLab, password: str) -> None:
    for host in own.lab.hosts():
        own.run(host.name, _PREPARE.format(user=_USER, password=password))

    def become(content: dict[str, Any]) -> None:
        content["ssh"]["user"] = _USER

    own.edit(become)


@pytest.mark.timeout(900)
def test_up_with_a_sudo_password(lab_name: str, tmp_path: Path) -> None:
    password = f"pw-{secrets.token_hex(12)}"
    with own_lab(f"{lab_name}-sudo", tmp_path, control_planes=1, workers=1) as own:
        _prepare(own, password)
        command = [str(PROGRAMS / "kubikk"), "up", "-f", str(own.file), "--ask-become-pass"]
        watcher = _Watcher(password)
        try:
            code, output = answer(command, password, timeout=600)
        finally:
            watcher.close()
        assert code == 0, output
        assert password not in output
        assert watcher.found == set()
        for path in own.directory.rglob("*"):
            assert not path.is_file() or password.encode() not in path.read_bytes(), path
        for host in own.lab.hosts():
            search = f"grep -rlF {password[:-4]} /etc /tmp /var/tmp /var/log /var/lib/kubikk /home /root"
            assert own.run(host.name, f"{search} 2>/dev/null; true") == ""
        again, output = answer(command, password, timeout=300)
        assert again == 0, output
        assert changes(runs(own.directory)[-1]) == []


@pytest.mark.timeout(120)
def test_a_wrong_password_is_said_plainly(lab_name: str, tmp_path: Path) -> None:
    with own_lab(f"{lab_name}-sudo", tmp_path, control_planes=1, workers=0) as own:
        _prepare(own, "right")
        command = [str(PROGRAMS / "kubikk"), "up", "-f", str(own.file), "--ask-become-pass"]
        code, output = answer(command, "wrong", timeout=100)
        assert code != 0
        assert "password" in output.lower()
        assert "Traceback" not in output
        assert "wrong\n" not in output
