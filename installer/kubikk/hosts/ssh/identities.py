"""Private keys to log in with: from the agent and from files, in OpenSSH's order."""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko.agent import AgentKey, AgentSSH

from kubikk.hosts.ssh.route import Hop


@dataclass
class Identities:
    """Keys to offer a server.

    Attributes:
        keys: what each is called in messages, and the key; in order.
        problems: why others cannot be offered, one sentence each.
    """

    keys: list[tuple[str, paramiko.PKey]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Agent(AgentSSH):
    """The agent at a given socket; paramiko's own knows only $SSH_AUTH_SOCK."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(10)
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined]
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()


@contextmanager
def identities(hop: Hop) -> Iterator[Identities]:
    """The keys to offer a server; the agent is held open meanwhile."""
    found = Identities()
    agent: _Agent | None = None
    if hop.agent:
        try:
            agent = _Agent(hop.agent)
        except (OSError, paramiko.SSHException) as error:
            found.problems.append(f"The SSH agent at {hop.agent} does not answer: {error}.")
    try:
        held = list(agent.get_keys()) if agent else []
        _collect(hop, held, found)
        yield found
    finally:
        if agent:
            agent.close()


def _collect(hop: Hop, held: list[AgentKey], found: Identities) -> None:
    by_blob = {key.asbytes(): key for key in held}
    files = [path for path in hop.identities if path.is_file()]
    missing: list[Path] = []
    used: set[bytes] = set()
    for path in files:
        blob = public_blob(path)
        if blob is not None and blob in by_blob:
            found.keys.append((f"{path} (agent)", by_blob[blob]))
            used.add(blob)
        else:
            missing.append(path)
    if not hop.identities_only:
        found.keys += [(f"{key.get_name()} (agent)", key) for key in held if key.asbytes() not in used]
    for path in missing:
        _load(path, found)


def _load(path: Path, found: Identities) -> None:
    try:
        found.keys.append((str(path), paramiko.PKey.from_path(path)))
    except paramiko.PasswordRequiredException:
        found.problems.append(
            f"The key {path} is protected by a passphrase and no agent holds it: run `ssh-add {path}`."
        )
    except TypeError as error:
        # What cryptography raises for a protected key in PEM.
        protected = "password" in str(error).lower()
        reason = f"is protected by a passphrase and no agent holds it: run `ssh-add {path}`" if protected else "is odd"
        found.problems.append(f"The key {path} {reason}.")
    except (ValueError, OSError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        found.problems.append(f"The key {path} cannot be read: {error or type(error).__name__}.")


def public_blob(private: Path) -> bytes | None:
    """The public half of a key, from the file beside it or from the unencrypted part of the key file itself."""
    try:
        words = private.with_name(f"{private.name}.pub").read_text(errors="replace").split()
        return base64.b64decode(words[1])
    except (OSError, IndexError, binascii.Error):
        pass
    try:
        lines = private.read_text(errors="replace").splitlines()
        return _openssh_public(base64.b64decode("".join(line for line in lines if not line.startswith("-----"))))
    except (OSError, binascii.Error):
        return None


_MAGIC = b"openssh-key-v1\0"


def _openssh_public(blob: bytes) -> bytes | None:
    """The public key inside an OpenSSH private key (PROTOCOL.key), which is not encrypted even if the rest is."""
    if not blob.startswith(_MAGIC):
        return None
    rest = blob[len(_MAGIC) :]
    for _ in range(3):  # cipher, key derivation, its options
        rest = rest[4 + int.from_bytes(rest[:4], "big") :]
    rest = rest[4:]  # number of keys
    return rest[4 : 4 + int.from_bytes(rest[:4], "big")] or None
