"""How Ansible reaches a host: its connection variables, which give OpenSSH everything on the command line."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from kubikk.cluster import Connection, JumpHost


def connection_variables(connection: Connection) -> dict[str, Any]:
    """The ``ansible_*`` variables of a host.

    Args:
        connection: how the host is reached.
    """
    variables: dict[str, Any] = {
        "ansible_host": connection.host,
        "ansible_port": connection.port,
        "ansible_user": connection.user,
        "ansible_ssh_common_args": shlex.join(_arguments(connection)),
    }
    if connection.key:
        variables["ansible_ssh_private_key_file"] = str(connection.key)
    if connection.become:
        variables["ansible_become"] = True
    return variables


def _arguments(connection: Connection) -> list[str]:
    arguments = _checking(connection.known_hosts)
    if connection.key:
        # An agent with many keys would use up the server's attempts before this one is offered.
        arguments += ["-o", "IdentitiesOnly=yes"]
    if connection.jump:
        arguments += ["-o", f"ProxyCommand={_proxy(connection, connection.jump)}"]
    return arguments


def _checking(known_hosts: Path | None) -> list[str]:
    arguments = ["-o", "StrictHostKeyChecking=yes"]
    if known_hosts:
        # ssh takes a space for the end of the first of several files, unless there are quotes.
        path = str(known_hosts)
        arguments += ["-o", f'UserKnownHostsFile="{path}"' if " " in path else f"UserKnownHostsFile={path}"]
    return arguments


def _proxy(connection: Connection, jump: JumpHost) -> str:
    """The command that connects through the jump host.

    ProxyJump would start ssh without our key and known_hosts: it hands on no option but ssh's configuration file.
    The key is offered beside those of ssh's configuration: a jump host often has another.
    """
    # A question for a password could not be answered: many hosts are connected to at once.
    command = ["ssh", "-o", "BatchMode=yes", *_checking(connection.known_hosts)]
    if connection.key:
        command += ["-i", str(connection.key)]
    if jump.port:
        command += ["-p", str(jump.port)]
    if jump.user:
        command += ["-l", jump.user]
    # ssh replaces %h and %p, and runs the result in a shell; no path in a cluster file has a percent sign.
    return shlex.join([*command, "-W", "[%h]:%p", jump.host])
