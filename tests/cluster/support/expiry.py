"""Certificates whose time is over, as they are after a cluster was off for too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from kubikk.pki.leaves import AUTHORITIES


def expired(subject: x509.Certificate, pki: Path) -> bytes:
    """A certificate like another one, for the same key and of the same authority, that expired 35 days ago.

    Args:
        subject: the other one.
        pki: the cluster's PKI directory, with the authorities' keys.
    """
    present = {name: x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes()) for name in AUTHORITIES}
    file = next(name for name, authority in present.items() if authority.subject == subject.issuer)
    key = serialization.load_pem_private_key((pki / f"{file}.key").read_bytes(), None)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.subject)
        .issuer_name(subject.issuer)
        .public_key(subject.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now - timedelta(days=35))
    )
    for extension in subject.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]
