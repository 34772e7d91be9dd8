"""Private keys: P-256 for certificates, RSA for service account tokens."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kubikk.errors import KubikkError
from kubikk.pki import files

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_SERVICE_ACCOUNT_BITS = 2048


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey) -> bytes:
    """A key as unencrypted PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PrivateKey | CertificatePublicKeyTypes) -> bytes:
    """The public half of a key, or a public key itself."""
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_key(path: Path) -> PrivateKey | None:
    """The key in a file, or None where there is no file.

    Raises:
        KubikkError: the file holds something else.
    """
    content = files.read(path)
    if content is None:
        return None
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # Not the error's own text: it may quote what it could not parse.
        raise KubikkError(f"{path} holds no private key that can be read") from error
    if not isinstance(key, PrivateKey):
        raise KubikkError(f"{path} holds a key that is neither RSA nor on an elliptic curve")
    return key


def ensure_service_account_pair(private: Path, public: Path) -> list[Path]:
    """Makes the pair that service account tokens are signed and checked with.

    Args:
        private: file of the private key; never replaced.
        public: file of the public key; follows the private one.

    Returns:
        The files written.
    """
    written = []
    key = load_key(private)
    if key is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_SERVICE_ACCOUNT_BITS)
        files.write(private, private_pem(key), files.SECRET, durable=True)
        written.append(private)
    wanted = public_pem(key)
    if files.read(public) != wanted:
        files.write(public, wanted, files.PUBLIC)
        written.append(public)
    return written
