"""How OpenSSH would reach a host, told by OpenSSH itself.

``ssh -G`` prints what ssh would use for a host once every configuration file, ``Match`` and ``Include`` is read, so
nothing of that has to be imitated here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kubikk.cluster.ssh import Connection, JumpHost
from kubikk.errors import KubikkError

_NONE = "none"
_TIMEOUT = 10  # seconds
_MOST_HOPS = 8


@dataclass(frozen=True)
class Hop:
    """One SSH server on the way.

    Attributes:
        host: name it was asked for by.
        address: name or address to connect to.
        port: its port.
        user: user to log in as.
        host_key_name: name its key has in known_hosts, where that is not its address; else "".
        known_hosts: files with host keys; missing ones are skipped.
        identities: files of private keys, in the order they are offered; some may not exist.
        identities_only: offer no other keys of the agent.
        agent: socket of the agent, or "" for none.
        proxy_command: command whose standard input and output lead to the server, or "".
        via: the hop before this one, or None.
    """

    host: str
    address: str
    port: int
    user: str
    host_key_name: str
    known_hosts: tuple[Path, ...]
    identities: tuple[Path, ...]
    identities_only: bool
    agent: str
    proxy_command: str
    via: Hop | None


def route(connection: Connection) -> Hop:
    """How a host of the cluster is reached.

    The cluster file's settings come first, then OpenSSH's own configuration. A jump host gets the cluster's known_hosts
    file and, beside its own, the cluster's key.

    Args:
        connection: the cluster file's settings for the host.

    Raises:
        KubikkError: OpenSSH is not installed, or refuses its configuration.
    """
    common = [f"UserKnownHostsFile={quote(connection.known_hosts)}"] if connection.known_hosts else []
    options = [*common, f"Port={connection.port}", f"User={connection.user}"]
    if connection.key:
        options += ["IdentitiesOnly=yes", f"IdentityFile={quote(connection.key)}"]
    via = None
    if connection.jump:
        # Written first, it hides what the configuration says of the host's own way.
        options.append("ProxyCommand=none")
        via = _jump(connection, connection.jump, common)
    return _hop(connection.host, options, connection.known_hosts, via)


def _jump(connection: Connection, jump: JumpHost, common: list[str]) -> Hop:
    options = list(common)
    if connection.key:
        options.append(f"IdentityFile={quote(connection.key)}")
    if jump.port:
        options.append(f"Port={jump.port}")
    if jump.user:
        options.append(f"User={jump.user}")
    return _hop(jump.host, options, connection.known_hosts, None)


def quote(path: Path) -> str:
    """A path as an option's value: spaces do not end it, percent signs stand for themselves."""
    return '"{}"'.format(str(path).replace("%", "%%"))


def _hop(host: str, options: list[str], known_hosts: Path | None, via: Hop | None, depth: int = 1) -> Hop:
    settings = parse(_ask(host, options))
    proxy_jump = settings.first("proxyjump")
    if via is None and proxy_jump:
        via = _chain(proxy_jump, host, depth)
    # A file the cluster names is taken as it is: ssh prints names without quotes.
    files = (known_hosts,) if known_hosts else settings.paths("userknownhostsfile")
    alias = settings.first("hostkeyalias")
    return Hop(
        host=host,
        address=settings.first("hostname") or host,
        port=int(settings.first("port") or 22),
        user=settings.first("user"),
        host_key_name=alias.lower(),
        known_hosts=(*files, *settings.paths("globalknownhostsfile")),
        identities=settings.identities(),
        identities_only=settings.first("identitiesonly") == "yes",
        agent=settings.agent(),
        proxy_command="" if via else settings.proxy_command(),
        via=via,
    )


def _chain(proxy_jump: str, host: str, depth: int) -> Hop:
    """The hop that ``ProxyJump`` names: of several, the last, which is reached through those before it."""
    if depth > _MOST_HOPS:
        raise KubikkError(
            f"SSH reaches {host} through too many jump hosts",
            cause=f"more than {_MOST_HOPS}, the last of them {proxy_jump}",
            remedy="Look for a jump host that is reached through itself in ~/.ssh/config.",
        )
    before, _, last = proxy_jump.rpartition(",")
    name, options = _destination(last)
    via = _chain(before, last, depth + 1) if before else None
    return _hop(name, options, None, via, depth + 1)


def _destination(text: str) -> tuple[str, list[str]]:
    """Host and options of ``[ssh://][user@]host[:port]``."""
    user, _, place = text.strip().removeprefix("ssh://").rstrip("/").rpartition("@")
    bracket, _, rest = place.partition("]")
    if place.startswith("["):
        host, port = bracket[1:], rest.removeprefix(":")
    else:
        host, _, port = place.partition(":") if place.count(":") == 1 else (place, "", "")
    return host, [f"Port={port}"] * bool(port) + [f"User={user}"] * bool(user)


def _ask(host: str, options: list[str]) -> str:
    command = ["ssh", "-G", *(word for option in options for word in ("-o", option)), "--", host]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise KubikkError(
            "There is no ssh on this machine", remedy="Install the OpenSSH client (openssh-client, openssh-clients)."
        ) from error
    except subprocess.TimeoutExpired as error:
        remedy = "Look for a `Match exec` in ~/.ssh/config whose command does not end."
        raise KubikkError(f"ssh does not tell how it would reach {host}", cause=str(error), remedy=remedy) from error
    if done.returncode != 0:
        cause = done.stderr.strip() or f"ssh -G ended with {done.returncode}"
        raise KubikkError(f"OpenSSH refuses to connect to {host}", cause=cause, remedy="Mend ~/.ssh/config.")
    return done.stdout


@dataclass(frozen=True)
class Settings:
    """What ``ssh -G`` printed: every value of every keyword, in order."""

    values: dict[str, tuple[str, ...]]

    def first(self, keyword: str) -> str:
        """The value of a keyword; "" where there is none, or it is ``none``."""
        value = self.values.get(keyword, ("",))[0]
        return "" if value == _NONE else value

    def paths(self, keyword: str) -> tuple[Path, ...]:
        """The files a keyword lists."""
        return tuple(Path(name).expanduser() for name in _words(self.first(keyword)))

    def identities(self) -> tuple[Path, ...]:
        """Files of private keys."""
        return tuple(Path(self._expand(name)).expanduser() for name in self.values.get("identityfile", ()))

    def agent(self) -> str:
        """Socket of the agent, or "" where none is to be asked."""
        value = self.values.get("identityagent", ("SSH_AUTH_SOCK",))[0]
        if value == "SSH_AUTH_SOCK":
            return os.environ.get("SSH_AUTH_SOCK", "")
        if value.startswith("$"):
            return os.environ.get(value[1:].strip("{}"), "")
        return "" if value == _NONE else str(Path(self._expand(value)).expanduser())

    def proxy_command(self) -> str:
        """The proxy command, ready for a shell; "" where there is none."""
        return self._expand(self.first("proxycommand"))

    def _expand(self, text: str) -> str:
        """Replaces percent tokens that ssh leaves for later (ssh_config(5), TOKENS)."""
        tokens = {
            "%%": "%",
            "%d": str(Path.home()),
            "%h": self.first("hostname"),
            "%n": self.first("host") or self.first("hostname"),
            "%p": self.first("port"),
            "%r": self.first("user"),
            "%u": os.environ.get("USER", ""),
            "%i": str(os.getuid()),
        }
        parts, rest = [], text
        while "%" in rest:
            before, _, rest = rest.partition("%")
            token = f"%{rest[:1]}"
            parts += [before, tokens.get(token, token)]
            rest = rest[1:]
        return "".join([*parts, rest])


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def parse(output: str) -> Settings:
    """Reads the output of ``ssh -G``."""
    values: dict[str, tuple[str, ...]] = {}
    for line in output.splitlines():
        keyword, _, value = line.partition(" ")
        values[keyword.lower()] = (*values.get(keyword.lower(), ()), value.strip())
    return Settings(values)
