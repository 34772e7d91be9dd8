"""How the control node reaches hosts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from kubikk.cluster.files import FilePath, KeyFile
from kubikk.cluster.section import Section, describe, refuse
from kubikk.cluster.syntax import HostnameOrIp, UserName, is_hostname, is_ip

_JUMP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.+-]*)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:@\s,]+))(?::(?P<port>[0-9]{1,5}))?"
)

Port = Annotated[int, Field(ge=1, le=65535)]


@dataclass(frozen=True)
class JumpHost:
    """The host that SSH connections pass through.

    Attributes:
        host: name or address.
        user: login name, or None for what ssh's configuration says.
        port: or None for what ssh's configuration says.
    """

    host: str
    user: str | None = None
    port: int | None = None


def parse_jump(text: str) -> JumpHost:
    """Reads ``[user@]host[:port]``; an IPv6 address stands in brackets.

    Raises:
        PydanticCustomError: it is something else.
    """
    match = _JUMP.fullmatch(text)
    host = match and (match["v6"] or match["host"])
    if not match or not host or not (is_ip(host) if match["v6"] else is_hostname(host) or is_ip(host)):
        raise refuse(
            f"{describe(text)} is no jump host; expected [user@]host[:port]",
            "Name one host, for example admin@bastion.example.com:22.",
        )
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise refuse(f"the jump host's port {port} is not between 1 and 65535", "Write a port that exists, or none.")
    return JumpHost(host=host, user=match["user"], port=port)


def _jump(text: str) -> str:
    parse_jump(text)
    return text


Jump = Annotated[str, AfterValidator(_jump)]


class Ssh(Section):
    """How all hosts are reached, unless a host says otherwise."""

    user: UserName = Field(default="root", description="User to log in as.")
    port: Port = Field(default=22, description="Port of the SSH server.")
    key: KeyFile | None = Field(
        default=None, description="Private key file. Without it, ssh uses its agent and the user's usual keys."
    )
    known_hosts: FilePath | None = Field(
        default=None,
        description="File with the hosts' keys, which are always checked. Without it, ssh's own known_hosts files.",
    )
    jump: Jump | None = Field(
        default=None,
        description="Host that connections pass through: `[user@]host[:port]`, or a name in ~/.ssh/config.",
    )
    become: bool | None = Field(
        default=None,
        description="Use sudo on the hosts; by default if the user is not root. "
        "A sudo password is asked for by `--ask-become-pass`, never written down.",
    )


class HostSsh(Section):
    """What differs for one host; a key that is written here, even as null, takes the place of the cluster's."""

    host: HostnameOrIp | None = Field(
        default=None, description="Name or address that SSH connects to, where it is not the host's `address`."
    )
    user: UserName | None = Field(default=None, description="User to log in as.")
    port: Port | None = Field(default=None, description="Port of the SSH server.")
    key: KeyFile | None = Field(default=None, description="Private key file.")
    known_hosts: FilePath | None = Field(default=None, description="File with the host's key.")
    jump: Jump | None = Field(default=None, description="Host that the connection passes through; null for none.")
    become: bool | None = Field(default=None, description="Use sudo on this host.")


@dataclass(frozen=True)
class Connection:
    """How one host is reached, all defaults applied.

    Attributes:
        host: name or address to connect to.
        port: port of the SSH server.
        user: user to log in as.
        key: absolute path of the private key, or None for ssh's agent and usual keys.
        known_hosts: absolute path of the file with host keys, or None for ssh's own files.
        jump: host to pass through, or None.
        become: whether commands need sudo.
    """

    host: str
    port: int
    user: str
    key: Path | None
    known_hosts: Path | None
    jump: JumpHost | None
    become: bool


def connection(address: str, common: Ssh, own: HostSsh) -> Connection:
    """Puts together how a host is reached.

    Args:
        address: the host's address.
        common: the cluster's settings.
        own: the host's.
    """

    def pick(name: str) -> Any:
        return getattr(own if name in own.model_fields_set else common, name)

    # null makes sense where a setting can be switched off; a user and a port there always are.
    user: str = own.user or common.user
    jump: str | None = pick("jump")
    become: bool | None = pick("become")
    return Connection(
        host=own.host or address,
        port=own.port or common.port,
        user=user,
        key=pick("key"),
        known_hosts=pick("known_hosts"),
        jump=parse_jump(jump) if jump else None,
        become=user != "root" if become is None else become,
    )
