"""Authorities are replaced in three steps, each of which can be broken off and repeated."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from kubikk.cluster import Cluster
from kubikk.errors import KubikkError
from kubikk.pki import ensure, files, rotation
from kubikk.pki.certificates import issued_by, matches
from kubikk.pki.keys import load_key
from kubikk.pki.leaves import AUTHORITIES

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CLUSTER = Cluster.model_validate(
    {"name": "c", "hosts": [{"name": "cp1", "address": "10.0.0.1", "roles": ["control-plane"]}]}
)


def bundle(pki: Path, name: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates((pki / f"{name}.crt").read_bytes())


def names(pki: Path) -> dict[str, list[str]]:
    """authority -> the names in its file, in order."""
    return {
        name: [each.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for each in bundle(pki, name)]  # type: ignore[misc]
        for name in AUTHORITIES
    }


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    ensure(CLUSTER, tmp_path / "pki", now=NOW)
    return tmp_path / "pki"


def test_all_steps(pki: Path) -> None:
    old = {name: bundle(pki, name)[0] for name in AUTHORITIES}
    leaf = pki / "control-plane/cp1/apiserver.crt"
    before = leaf.read_bytes()
    assert rotation.left(pki) == ("trust", "sign", "forget")

    rotation.take(pki, "trust", NOW)
    assert names(pki) == {name: [each, f"{each}-2"] for name, each in AUTHORITIES.items()}
    # Trusted only: the old one signs, and nothing is issued.
    assert not ensure(CLUSTER, pki, now=NOW).changed
    assert rotation.left(pki) == ("trust", "sign", "forget")

    rotation.take(pki, "sign", NOW)
    assert names(pki) == {name: [f"{each}-2", each] for name, each in AUTHORITIES.items()}
    report = ensure(CLUSTER, pki, now=NOW)
    assert {entry.reason for entry in report.issued} == {"it was signed by another authority"}
    assert leaf.read_bytes() != before
    assert issued_by(x509.load_pem_x509_certificate(leaf.read_bytes()), bundle(pki, "ca")[0])
    assert rotation.left(pki) == ("sign", "forget")

    rotation.take(pki, "forget", NOW)
    assert names(pki) == {name: [f"{each}-2"] for name, each in AUTHORITIES.items()}
    assert not any(bundle(pki, name)[0] == old[name] for name in AUTHORITIES)
    assert not ensure(CLUSTER, pki, now=NOW).changed
    rotation.end(pki)
    assert rotation.left(pki) == ("trust", "sign", "forget")
    assert sorted(path.name for path in pki.glob("*.next.*")) == []


@pytest.mark.parametrize("step", ["trust", "sign"])
@pytest.mark.parametrize("writes", range(12))
def test_a_step_that_was_broken_off_is_repeated(
    step: str, writes: int, pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step == "sign":
        rotation.take(pki, "trust", NOW)
    real, done = files.write, 0

    def write(path: Path, content: bytes, mode: int, *, durable: bool = False) -> None:
        nonlocal done
        done += 1
        if done > writes:
            raise KeyboardInterrupt
        real(path, content, mode, durable=durable)

    monkeypatch.setattr(files, "write", write)
    with contextlib.suppress(KeyboardInterrupt):
        rotation.take(pki, step, NOW)
    monkeypatch.undo()
    rotation.take(pki, step, NOW)
    expected = {name: [each, f"{each}-2"] for name, each in AUTHORITIES.items()}
    assert names(pki) == {name: each if step == "trust" else each[::-1] for name, each in expected.items()}
    for name in AUTHORITIES:
        key = load_key(pki / f"{name}.key")
        assert key is not None
        assert matches(bundle(pki, name)[0], key)


def test_names_are_counted() -> None:
    assert [rotation.next_name(name) for name in ("etcd-ca", "etcd-ca-2", "etcd-ca-9")] == [
        "etcd-ca-2",
        "etcd-ca-3",
        "etcd-ca-10",
    ]


def test_a_mark_of_somebody_else_is_not_guessed_at(pki: Path) -> None:
    (pki / "rotation").write_text("half\n")
    with pytest.raises(KubikkError, match="says 'half'"):
        rotation.left(pki)
