"""Brings a cluster's PKI directory into its wanted state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubikk.cluster.models import Cluster
from kubikk.errors import KubikkError
from kubikk.pki import files
from kubikk.pki.authorities import ensure_authority
from kubikk.pki.certificates import RENEW_BEFORE, Authority, fault, load_certificate, matches, pem, sign
from kubikk.pki.encryption import ensure_keys
from kubikk.pki.keys import ensure_service_account_pair, load_key, new_key, private_pem
from kubikk.pki.leaves import AUTHORITIES, HOST_DIRECTORIES, Leaf, leaves

NEW = "it did not exist"
ASKED = "a new one was asked for"
_EARLY_WARNING = 12 * RENEW_BEFORE


@dataclass(frozen=True)
class Issued:
    """A file, or a certificate with its key, that was written.

    Attributes:
        path: below the PKI directory; for certificates without the suffix, for example ``etcd/cp1/peer``.
        reason: why.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class PkiReport:
    """What was done.

    Attributes:
        issued: what was written, in order; empty where everything was right.
        abandoned: directories of hosts that the cluster file does not list any longer; they are kept.
        warnings: what needs an operator's attention, one sentence each.
    """

    issued: tuple[Issued, ...] = ()
    abandoned: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.issued)

    @property
    def reissued(self) -> tuple[Issued, ...]:
        """Certificates that took the place of others."""
        return tuple(entry for entry in self.issued if entry.reason != NEW)


def ensure(cluster: Cluster, directory: Path, *, now: datetime, renew: bool = False) -> PkiReport:
    """Makes what is missing, and issues again the leaf certificates that are not as they should be.

    Those are leaves whose names differ from what the cluster file says, that another authority signed, whose key does
    not match, and that expire within 30 days. Authorities and the keys of service accounts and encryption are never
    replaced. Wherever a run is interrupted, the next one completes it.

    Args:
        cluster: the cluster.
        directory: ``inventory/<name>/pki``; made if missing.
        now: the time, with a time zone.
        renew: whether to issue every leaf anew.

    Raises:
        KubikkError: an authority or a key that must not be replaced is missing, damaged or expired.
    """
    files.make_directory(directory)
    files.remove_unfinished(directory)
    written = _ensure_secrets(directory)
    authorities = {}
    for name, common_name in AUTHORITIES.items():
        authorities[name], made = ensure_authority(directory, name, common_name, now)
        written += made
    issued = [Issued(str(path.relative_to(directory)), NEW) for path in written]
    wanted = leaves(cluster)
    for path in sorted({(directory / leaf.path).parent for leaf in wanted}):
        files.make_directory(path)
    warnings = [text for path in sorted(directory.rglob("*.key")) if (text := _closed(path, directory))]
    for leaf in wanted:
        reason = _ensure_leaf(leaf, directory, authorities[leaf.authority], now, renew=renew)
        if reason:
            issued.append(Issued(leaf.path, reason))
    warnings += [text for name, authority in authorities.items() if (text := _ending(name, authority, now))]
    return PkiReport(tuple(issued), _abandoned(wanted, directory), tuple(warnings))


def _ensure_secrets(directory: Path) -> list[Path]:
    """Keys that a running cluster cannot do without; written before the authorities, so that those tell its age."""
    private, encryption = directory / "sa.key", directory / "encryption.key"
    if any((directory / f"{name}.crt").exists() for name in AUTHORITIES):
        for path, loss in (
            (private, "every service account token would become invalid"),
            (encryption, "Secrets in etcd could not be read any longer"),
        ):
            if not path.exists():
                raise KubikkError(
                    f"{path} is missing, and a new one would not do: {loss}",
                    remedy=f"Restore it from a backup. If there is no cluster that matters, delete {directory}.",
                )
    return ensure_service_account_pair(private, directory / "sa.pub") + ensure_keys(encryption)


def _ensure_leaf(leaf: Leaf, directory: Path, authority: Authority, now: datetime, *, renew: bool) -> str:
    """Issues one leaf if that is needed, and says why; "" where nothing was done."""
    certificate_path, key_path = directory / f"{leaf.path}.crt", directory / f"{leaf.path}.key"
    reason = _leaf_fault(leaf, certificate_path, key_path, authority, now) or (ASKED if renew else "")
    if reason:
        key = new_key()
        certificate = sign(leaf.request, key, authority, now)
        # A run that ends between the two leaves a pair that does not match, which the next run sees.
        files.write(key_path, private_pem(key), files.SECRET)
        files.write(certificate_path, pem(certificate), files.PUBLIC)
    return reason


def _leaf_fault(leaf: Leaf, certificate_path: Path, key_path: Path, authority: Authority, now: datetime) -> str:
    if not certificate_path.exists() and not key_path.exists():
        return NEW
    try:
        certificate, key = load_certificate(certificate_path), load_key(key_path)
    except KubikkError as error:
        return error.message
    if certificate is None or key is None:
        return f"its {'certificate' if certificate is None else 'key'} was missing"
    if not matches(certificate, key):
        return "its key did not match"
    return fault(certificate, leaf.request, authority.certificate, now)


def _closed(path: Path, directory: Path) -> str:
    if files.close_to_others(path):
        return f"{path.relative_to(directory)} could be read by other users of this machine; it is closed to them now."
    return ""


def _ending(name: str, authority: Authority, now: datetime) -> str:
    expiry = authority.certificate.not_valid_after_utc
    if expiry <= now + _EARLY_WARNING:
        return f"The certificate authority {name}.crt expires on {expiry:%Y-%m-%d}; it has to be replaced before."
    return ""


def _abandoned(wanted: tuple[Leaf, ...], directory: Path) -> tuple[str, ...]:
    present = {str(path.relative_to(directory)) for kind in HOST_DIRECTORIES for path in (directory / kind).glob("*")}
    return tuple(sorted(present - {leaf.path.rpartition("/")[0] for leaf in wanted}))
