"""Certificate authorities: made once, kept, and never replaced without being asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from kubikk.error_codes import CERTIFICATE_EXPIRED
from kubikk.errors import KubikkError
from kubikk.pki import files
from kubikk.pki.certificates import Authority, load_certificate, matches, pem, sign_authority
from kubikk.pki.keys import load_key, new_key, private_pem


def ensure_authority(directory: Path, name: str, common_name: str, now: datetime) -> tuple[Authority, list[Path]]:
    """Loads an authority, or makes it where it does not exist.

    The key is written first: where the certificate exists and the key does not, the key was lost or is kept elsewhere,
    and no run was merely interrupted.

    Args:
        directory: the PKI directory.
        name: file name without suffix.
        common_name: name of a new authority.
        now: with a time zone.

    Returns:
        The authority, and the files written.

    Raises:
        KubikkError: it cannot sign: its key is missing or another's, or it has expired.
    """
    certificate_path, key_path = directory / f"{name}.crt", directory / f"{name}.key"
    certificate, key = load_certificate(certificate_path), load_key(key_path)
    written = []
    if key is None:
        if certificate is not None:
            raise KubikkError(
                f"The certificate authority {certificate_path} has no key: {key_path} is missing",
                cause="without it no certificate can be issued, and a new authority would be unknown to running hosts",
                remedy=f"Restore {key_path} from a backup. If there is no cluster that matters, delete {directory}.",
            )
        key = new_key()
        files.write(key_path, private_pem(key), files.SECRET, durable=True)
        written.append(key_path)
    if certificate is None:
        certificate = sign_authority(common_name, key, now)
        files.write(certificate_path, pem(certificate), files.PUBLIC, durable=True)
        written.append(certificate_path)
    if not matches(certificate, key):
        raise KubikkError(
            f"{key_path} is not the key of {certificate_path}",
            remedy="Restore both from the same backup.",
        )
    if certificate.not_valid_after_utc <= now:
        raise KubikkError(
            f"The certificate authority {certificate_path} expired on {certificate.not_valid_after_utc:%Y-%m-%d}",
            cause="no certificate it signs is valid any longer",
            remedy="Check this machine's clock. If it is right, the authority has to be replaced on all hosts.",
            code=CERTIFICATE_EXPIRED,
        )
    return Authority(certificate, key), written
