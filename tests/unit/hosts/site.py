"""A server, a jump host, and a key that opens both."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kubikk.cluster import Cluster
from kubikk.hosts.ssh import Jumps, connect

from .server import Listening

PASSWORD = 'pa ss"w$ord'
PROGRAM = "import json; print(json.dumps({'echo': INPUT['word'] * 2}))"


def make_key(path: Path, passphrase: str = "") -> paramiko.PKey:
    """An Ed25519 key pair."""
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption))
    path.chmod(0o600)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    path.with_name(f"{path.name}.pub").write_bytes(public)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return paramiko.Ed25519Key.from_private_key(io.StringIO(plain.decode()))


@dataclass
class Site:
    """A server, a key that opens it, and a known_hosts file that names it."""

    directory: Path
    server: Listening
    jump: Listening

    def cluster(self, **ssh: Any) -> Cluster:
        """A cluster of one host, which is the server."""
        settings = {"user": "operator", "become": False, "port": self.server.port, "key": str(self.directory / "key")}
        settings |= {"known_hosts": str(self.directory / "known_hosts")} | ssh
        host = {"name": "a", "address": "10.0.0.1", "roles": ["control-plane"], "ssh": {"host": "127.0.0.1"}}
        return Cluster.model_validate({"ssh": settings, "hosts": [host]})

    def know(self, text: str) -> None:
        """Replaces the known_hosts file."""
        (self.directory / "known_hosts").write_text(text)

    def run(self, password: str | None = None, program: str = PROGRAM, timeout: float = 20, **ssh: Any) -> Any:
        """Connects and runs a program."""
        cluster = self.cluster(**ssh)
        with Jumps() as jumps, connect(cluster, cluster.hosts[0], jumps, become_password=password) as connection:
            return connection.run(program, {"word": "ab"}, timeout=timeout).data
