"""New certificate authorities for a running cluster: trusted beside the old ones first, then signing, then alone.

What hosts trust is the whole of an authority's file; its first certificate is the one that signs. The file ``rotation``
says which step was begun last; each can be repeated.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from cryptography import x509

from kubikk.errors import KubikkError
from kubikk.pki import files
from kubikk.pki.certificates import load_certificate, pem, sign_authority, subject_values
from kubikk.pki.keys import load_key, new_key, private_pem
from kubikk.pki.leaves import AUTHORITIES

STEPS = ("trust", "sign", "forget")
_MARK = "rotation"


def begun(directory: Path) -> str:
    """The step that was begun last, one of ``STEPS``; "" where no change is under way."""
    content = files.read(directory / _MARK)
    return content.decode().strip() if content else ""


def left(directory: Path) -> tuple[str, ...]:
    """The steps that are to be done, the one that was begun last included.

    Raises:
        KubikkError: the mark is not one that Kubikk makes.
    """
    last = begun(directory)
    if last and last not in STEPS:
        raise KubikkError(f"{directory / _MARK} says {last!r}", remedy=f"expected one of {', '.join(STEPS)}")
    return STEPS[STEPS.index(last) :] if last else STEPS


def take(directory: Path, step: str, now: datetime) -> None:
    """Does a step to the files here; hosts are brought to it afterwards.

    Args:
        directory: the PKI directory.
        step: one of ``STEPS``, in their order.
        now: with a time zone.

    Raises:
        KubikkError: an authority is not there.
    """
    files.write(directory / _MARK, step.encode() + b"\n", files.PUBLIC, durable=True)
    for name in AUTHORITIES:
        {"trust": _trust, "sign": _sign, "forget": _forget}[step](directory, name, now)


def end(directory: Path) -> None:
    """No change is under way any longer."""
    (directory / _MARK).unlink(missing_ok=True)


def _trust(directory: Path, name: str, now: datetime) -> None:
    """Makes the new authority, and puts it behind the present one."""
    present = _bundle(directory, name)
    key_path, path = directory / f"{name}.next.key", directory / f"{name}.next.crt"
    key = load_key(key_path)
    if key is None:
        key = new_key()
        files.write(key_path, private_pem(key), files.SECRET, durable=True)
    following = load_certificate(path)
    if following is None:
        following = sign_authority(next_name(subject_values(present[0].subject)[0]), key, now)
        files.write(path, pem(following), files.PUBLIC, durable=True)
    _write(directory, name, [present[0], following])


def _sign(directory: Path, name: str, now: datetime) -> None:
    """Puts the new authority before the old one, and its key in the place of the old one's."""
    key_path, path = directory / f"{name}.next.key", directory / f"{name}.next.crt"
    key, following = files.read(key_path), load_certificate(path)
    if key is not None and following is not None:
        others = [each for each in _bundle(directory, name) if each != following]
        _write(directory, name, [following, *others])
        files.write(directory / f"{name}.key", key, files.SECRET, durable=True)
    # The certificate last: while it is there, so was the key when this began.
    key_path.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _forget(directory: Path, name: str, now: datetime) -> None:
    """Leaves the authority that signs."""
    _write(directory, name, _bundle(directory, name)[:1])


def next_name(common_name: str) -> str:
    """The name of the authority after one: ``kubernetes-ca`` is followed by ``kubernetes-ca-2``."""
    found = re.fullmatch(r"(.*)-([0-9]+)", common_name)
    return f"{found[1]}-{int(found[2]) + 1}" if found else f"{common_name}-2"


def _bundle(directory: Path, name: str) -> list[x509.Certificate]:
    content = files.read(directory / f"{name}.crt")
    if content is None:
        raise KubikkError(f"there is no authority {directory / name}.crt", remedy="`kubikk up` installs a cluster")
    return x509.load_pem_x509_certificates(content)


def _write(directory: Path, name: str, certificates: list[x509.Certificate]) -> None:
    path = directory / f"{name}.crt"
    content = b"".join(pem(certificate) for certificate in certificates)
    if files.read(path) != content:
        files.write(path, content, files.PUBLIC, durable=True)
