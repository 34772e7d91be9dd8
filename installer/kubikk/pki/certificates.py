"""One certificate: what it should say, how it is signed, and what is wrong with one that exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubikk.errors import KubikkError
from kubikk.pki import files
from kubikk.pki.keys import PrivateKey, public_pem

AUTHORITY_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of a host may be behind the control node's for a new certificate to count at once."""

# RFC 5280, ub-common-name.
_LONGEST_COMMON_NAME = 64

_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Request:
    """What a leaf certificate should say.

    Attributes:
        common_name: for clients of the API the user's name.
        organizations: for clients of the API the user's groups.
        names: DNS names it is valid for.
        addresses: IP addresses it is valid for.
        usages: any of server, client.
    """

    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    usages: tuple[str, ...] = ("client",)

    def subject(self) -> x509.Name:
        """The distinguished name.

        Raises:
            KubikkError: X.509 has no room for it.
        """
        if len(self.common_name) > _LONGEST_COMMON_NAME:
            raise KubikkError(
                f"A certificate cannot name {self.common_name}: that is longer than {_LONGEST_COMMON_NAME} characters",
                remedy="Give the host a shorter name.",
            )
        groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in self.organizations]
        return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)])


@dataclass(frozen=True)
class Authority:
    """A certificate authority.

    Attributes:
        certificate: its own certificate.
        key: what it signs with.
    """

    certificate: x509.Certificate
    key: PrivateKey


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def sign_authority(common_name: str, key: PrivateKey, now: datetime) -> x509.Certificate:
    """A certificate authority's certificate, signed by itself.

    Args:
        common_name: its name.
        key: its key.
        now: with a time zone.
    """
    subject = Request(common_name).subject()
    public = key.public_key()
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - CLOCK_SKEW,
        not_valid_after=now + AUTHORITY_LIFETIME,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.sign(key, hashes.SHA256())


def sign(request: Request, key: PrivateKey, authority: Authority, now: datetime) -> x509.Certificate:
    """A leaf certificate; it does not outlive its authority.

    Args:
        request: what it should say.
        key: its own key.
        authority: who signs.
        now: with a time zone.

    Raises:
        KubikkError: the name is too long.
    """
    issuer = authority.certificate
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = x509.CertificateBuilder(
        issuer_name=issuer.subject,
        subject_name=request.subject(),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=max(now - CLOCK_SKEW, issuer.not_valid_before_utc),
        not_valid_after=min(now + LEAF_LIFETIME, issuer.not_valid_after_utc),
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    usages = x509.ExtendedKeyUsage([_USAGES[usage] for usage in request.usages])
    builder = builder.add_extension(usages, critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
    )
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in request.names]
    alternatives += [x509.IPAddress(ip_address(address)) for address in request.addresses]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM)


def load_certificate(path: Path) -> x509.Certificate | None:
    """The certificate in a file, or None where there is no file.

    Raises:
        KubikkError: the file holds something else.
    """
    content = files.read(path)
    if content is None:
        return None
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise KubikkError(f"{path} holds no certificate", cause=str(error)) from error


def subject_values(name: x509.Name) -> tuple[str, tuple[str, ...]]:
    """Common name ("" where there is none) and sorted organizations."""

    def texts(oid: x509.ObjectIdentifier) -> list[str]:
        return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]

    return "".join(texts(NameOID.COMMON_NAME)[:1]), tuple(sorted(texts(NameOID.ORGANIZATION_NAME)))


def alternative_names(certificate: x509.Certificate) -> tuple[frozenset[str], frozenset[IPv4Address | IPv6Address]]:
    """DNS names and IP addresses a certificate is valid for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset(), frozenset()
    addresses = {a for a in found.get_values_for_type(x509.IPAddress) if isinstance(a, IPv4Address | IPv6Address)}
    return frozenset(found.get_values_for_type(x509.DNSName)), frozenset(addresses)


def _usages(certificate: x509.Certificate) -> frozenset[x509.ObjectIdentifier]:
    try:
        return frozenset(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def matches(certificate: x509.Certificate, key: PrivateKey) -> bool:
    """Whether a certificate was made for a key."""
    return public_pem(certificate.public_key()) == public_pem(key)


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority signed a certificate."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _difference(wanted: frozenset[str], found: frozenset[str]) -> str:
    parts = [f"without {name}" for name in sorted(wanted - found)] + [f"with {name}" for name in sorted(found - wanted)]
    return ", ".join(parts)


def fault(certificate: x509.Certificate, request: Request, authority: x509.Certificate, now: datetime) -> str:
    """Why a certificate has to be issued again; "" where it is as it should be.

    Args:
        certificate: the present one.
        request: what it should say.
        authority: who should have signed it.
        now: with a time zone.
    """
    if not issued_by(certificate, authority):
        return "it was signed by another authority"
    if subject_values(certificate.subject) != (request.common_name, tuple(sorted(request.organizations))):
        return f"its subject is {certificate.subject.rfc4514_string()}"
    names, addresses = alternative_names(certificate)
    wanted_addresses = frozenset(str(ip_address(address)) for address in request.addresses)
    difference = _difference(
        frozenset(request.names) | wanted_addresses, names | frozenset(str(address) for address in addresses)
    )
    if difference:
        return f"it was issued {difference}"
    if _usages(certificate) != {_USAGES[usage] for usage in request.usages}:
        return "it was issued for other uses"
    return _validity_fault(certificate, authority, now)


def _validity_fault(certificate: x509.Certificate, authority: x509.Certificate, now: datetime) -> str:
    expiry = certificate.not_valid_after_utc
    if expiry <= now:
        return f"it expired on {expiry:%Y-%m-%d}"
    # One that ends with its authority would end on the same day if it were issued again.
    if expiry <= now + RENEW_BEFORE and expiry < authority.not_valid_after_utc:
        return f"it expires on {expiry:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        return f"it is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on"
    return ""
