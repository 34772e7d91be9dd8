"""What certificates say and how long they are valid, for status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from kubikk.errors import KubikkError
from kubikk.pki import files
from kubikk.pki.certificates import alternative_names, subject_values


@dataclass(frozen=True)
class CertificateInfo:
    """A certificate.

    Attributes:
        path: its file; below the PKI directory, or on a host.
        common_name: whom it names.
        organizations: the groups it names.
        names: DNS names and IP addresses it is valid for, sorted.
        issuer: common name of its authority.
        not_before: from when it is valid, UTC.
        not_after: until when, UTC.
        is_authority: whether it signs others.
    """

    path: str
    common_name: str
    organizations: tuple[str, ...]
    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    is_authority: bool

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative where it has."""
        return (self.not_after - now).days

    def to_dict(self) -> dict[str, object]:
        """For JSON; times in ISO 8601."""
        return {
            "path": self.path,
            "common_name": self.common_name,
            "organizations": list(self.organizations),
            "names": list(self.names),
            "issuer": self.issuer,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "is_authority": self.is_authority,
        }


def describe(path: str, content: bytes) -> CertificateInfo:
    """Reads the first certificate of a PEM text.

    Args:
        path: where it is, for the result and for messages.
        content: PEM.

    Raises:
        KubikkError: there is none in it.
    """
    try:
        certificate = x509.load_pem_x509_certificate(content)
        names, addresses = alternative_names(certificate)
        is_authority = _is_authority(certificate)
    except ValueError as error:
        raise KubikkError(f"{path} holds no certificate", cause=str(error)) from error
    common_name, organizations = subject_values(certificate.subject)
    return CertificateInfo(
        path=path,
        common_name=common_name,
        organizations=organizations,
        names=tuple(sorted(names) + sorted(str(address) for address in addresses)),
        issuer=subject_values(certificate.issuer)[0],
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_authority=is_authority,
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def certificates(directory: Path) -> list[CertificateInfo]:
    """All certificates of a PKI directory, by path; none where it does not exist.

    Raises:
        KubikkError: a file cannot be read or holds no certificate.
    """
    found = []
    for path in sorted(directory.rglob("*.crt")):
        content = files.read(path)
        if content is not None:
            found.append(describe(str(path.relative_to(directory)), content))
    return found
