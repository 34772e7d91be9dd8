"""SSH keys of the lab and of its hosts, so that host key checking stays on from the first connection."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kubikk.lab.state import write_atomically


def public_path(private: Path) -> Path:
    """Where the public half of a key pair lies."""
    return private.with_name(f"{private.name}.pub")


def ensure_key(private: Path) -> str:
    """Creates an Ed25519 key pair unless it is there.

    The public half is written first: where the private half exists, the pair is complete.

    Args:
        private: file of the private key; the public one has ``.pub`` added.

    Returns:
        The public key, one line ``ssh-ed25519 AAAA…`` without a comment.
    """
    if not private.exists():
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        write_atomically(public_path(private), public + b"\n")
        write_atomically(private, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), 0o600)
    return public_path(private).read_text().strip()


def known_hosts(keys: dict[str, str]) -> str:
    """The text of a known_hosts file.

    Args:
        keys: public key of each address.
    """
    return "".join(f"{address} {key}\n" for address, key in keys.items())
