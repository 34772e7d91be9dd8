"""OpenSSH understands what Ansible hands it as we mean it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from kubikk.cluster import Connection, JumpHost
from kubikk.inventory.connection import connection_variables

CONNECTION = Connection(
    host="192.168.1.11",
    port=22,
    user="ubuntu",
    key=Path("/keys/a key"),
    known_hosts=Path("/keys/known hosts"),
    jump=JumpHost("fd00::1", "me", 2222),
    become=True,
)


def _ssh_settings(arguments: list[str]) -> dict[str, str]:
    """What ssh makes of its arguments, by setting in lower case."""
    done = subprocess.run(["ssh", "-F", "none", "-G", *arguments], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


@pytest.mark.skipif(not shutil.which("ssh"), reason="no ssh here")
def test_openssh_reads_it() -> None:
    arguments = shlex.split(connection_variables(CONNECTION)["ansible_ssh_common_args"])
    settings = _ssh_settings([*arguments, "192.168.1.11"])
    assert settings["userknownhostsfile"] == "/keys/known hosts"
    assert settings["stricthostkeychecking"] == "true"
    proxy = shlex.split(settings["proxycommand"])
    assert proxy[:1] == ["ssh"]
    assert proxy[-3:] == ["-W", "[%h]:%p", "fd00::1"]
    through = _ssh_settings([word.replace("%h", "192.168.1.11").replace("%p", "22") for word in proxy[1:]])
    assert (through["hostname"], through["user"], through["port"]) == ("fd00::1", "me", "2222")
    assert through["userknownhostsfile"] == "/keys/known hosts"
    assert through["stricthostkeychecking"] == "true"
    assert "/keys/a key" in proxy


def test_defaults_leave_everything_but_host_keys_to_ssh() -> None:
    plain = Connection("192.168.1.11", 22, "root", key=None, known_hosts=None, jump=None, become=False)
    assert connection_variables(plain) == {
        "ansible_host": "192.168.1.11",
        "ansible_port": 22,
        "ansible_user": "root",
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=yes",
    }
