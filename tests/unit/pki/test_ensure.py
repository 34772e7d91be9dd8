"""What ``ensure`` makes, what it replaces, and what it refuses to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kubikk.errors import KubikkError
from kubikk.pki import certificates, ensure, files
from kubikk.pki.certificates import load_certificate, matches
from kubikk.pki.ensure import ASKED, NEW, Issued
from kubikk.pki.keys import load_key, new_key, private_pem

from .conftest import NOW, make_cluster

ONE_HOST = {"hosts": [{"name": "a", "address": "10.0.0.1", "roles": ["control-plane"]}]}


def test_files_and_modes(original: Path) -> None:
    found = {str(path.relative_to(original)) for path in original.rglob("*") if path.is_file()}
    both = [f"{name}{suffix}" for name in ("ca", "etcd-ca", "front-proxy-ca", "admin") for suffix in (".crt", ".key")]
    expected = {"sa.key", "sa.pub", "encryption.key", *both, "metrics-server.crt", "metrics-server.key"}
    for host in ("cp1", "cp2"):
        expected |= _pairs(f"etcd/{host}", ("server", "peer", "healthcheck"))
        clients = ("apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client")
        expected |= _pairs(f"control-plane/{host}", clients)
        expected |= _pairs(
            f"control-plane/{host}",
            ("controller-manager", "controller-manager-server", "scheduler", "scheduler-server"),
        )
    for host in ("cp1", "cp2", "w1"):
        expected |= _pairs(f"kubelet/{host}", ("client", "server", "kube-proxy", "flannel"))
    assert found == expected
    assert {path.stat().st_mode & 0o777 for path in original.rglob("*.key")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in original.rglob("*.crt")} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (original, *original.rglob("*")) if path.is_dir()} == {0o700}


def _pairs(directory: str, names: tuple[str, ...]) -> set[str]:
    return {f"{directory}/{name}{suffix}" for name in names for suffix in (".crt", ".key")}


@pytest.mark.parametrize(("provider", "issued"), [("aws", True), ("external", False)])
def test_cloud_controller_manager(tmp_path: Path, provider: str, issued: bool) -> None:
    ensure(make_cluster(cloud={"provider": provider}), tmp_path, now=NOW)
    names = {path.name for path in (tmp_path / "control-plane" / "cp1").glob("cloud-controller-manager*")}
    expected = {f"cloud-controller-manager{suffix}" for suffix in (".crt", ".key", "-server.crt", "-server.key")}
    assert names == (expected if issued else set())


def test_dedicated_etcd_hosts(tmp_path: Path) -> None:
    hosts = [
        {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
        {"name": "e1", "address": "10.0.0.31", "roles": ["etcd"]},
    ]
    ensure(make_cluster(hosts=hosts), tmp_path, now=NOW)
    assert [path.name for path in (tmp_path / "etcd").iterdir()] == ["e1"]
    assert [path.name for path in (tmp_path / "kubelet").iterdir()] == ["cp1"]


def test_nothing_to_do(pki: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in pki.rglob("*")}
    report = ensure(make_cluster(), pki, now=NOW + timedelta(days=300))
    assert not report.changed
    assert report.abandoned == ()
    assert report.warnings == ()
    assert {path: path.stat().st_mtime_ns for path in pki.rglob("*")} == before


REISSUED: list[tuple[str, dict[str, Any], set[str]]] = [
    (
        "it was issued without api.example.com",
        {"api": {"extra_sans": ["api.example.com"]}},
        {"control-plane/cp1/apiserver", "control-plane/cp2/apiserver"},
    ),
    (
        "it was issued without 10.0.0.99, with 10.0.0.21",
        {
            "hosts": [
                {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
                {"name": "cp2", "address": "10.0.0.12", "roles": ["control-plane", "worker"]},
                {"name": "w1", "address": "10.0.0.99", "roles": ["worker"]},
            ]
        },
        {"kubelet/w1/server"},
    ),
    (
        "it was issued without kubernetes.default.svc.k.test, with kubernetes.default.svc.cluster.local",
        {"network": {"dns_domain": "k.test"}, "addons": {"metrics_server": False}},
        {"control-plane/cp1/apiserver", "control-plane/cp2/apiserver"},
    ),
]


@pytest.mark.parametrize(("reason", "changes", "paths"), REISSUED)
def test_cluster_file_changed(pki: Path, reason: str, changes: dict[str, Any], paths: set[str]) -> None:
    cluster = make_cluster(**changes)
    report = ensure(cluster, pki, now=NOW)
    assert {entry.path: entry.reason for entry in report.reissued} == dict.fromkeys(paths, reason)
    assert not ensure(cluster, pki, now=NOW).changed


def _swap_key(pki: Path) -> None:
    (pki / "etcd/cp1/peer.key").write_bytes(private_pem(new_key()))


def _foreign_authority(pki: Path) -> None:
    other = pki.parent / "other"
    ensure(make_cluster(), other, now=NOW)
    for suffix in ("crt", "key"):
        shutil.copy(other / f"etcd/cp1/peer.{suffix}", pki / "etcd/cp1")


def _other_certificate(pki: Path) -> None:
    for suffix in ("crt", "key"):
        shutil.copy(pki / f"etcd/cp1/healthcheck.{suffix}", pki / f"etcd/cp1/peer.{suffix}")


DAMAGES: list[tuple[str, Callable[[Path], object]]] = [
    ("its key was missing", lambda pki: (pki / "etcd/cp1/peer.key").unlink()),
    ("its certificate was missing", lambda pki: (pki / "etcd/cp1/peer.crt").unlink()),
    ("its key did not match", _swap_key),
    ("holds no certificate", lambda pki: (pki / "etcd/cp1/peer.crt").write_text("half a certi")),
    ("holds no private key that can be read", lambda pki: (pki / "etcd/cp1/peer.key").write_text("")),
    ("it was signed by another authority", _foreign_authority),
    ("its subject is CN=kube-etcd-healthcheck-client", _other_certificate),
]


@pytest.mark.parametrize(("reason", "damage"), DAMAGES)
def test_damaged_leaf(pki: Path, reason: str, damage: Callable[[Path], object]) -> None:
    damage(pki)
    report = ensure(make_cluster(), pki, now=NOW)
    assert [entry.path for entry in report.issued] == ["etcd/cp1/peer"]
    assert report.issued[0].reason.endswith(reason)
    assert not ensure(make_cluster(), pki, now=NOW).changed


@pytest.mark.parametrize(
    ("days", "reason"),
    [(334, ""), (336, "it expires on 2027-05-01"), (365, "it expired on 2027-05-01"), (-1, "it is valid only from")],
)
def test_validity(tmp_path: Path, days: int, reason: str) -> None:
    cluster = make_cluster(**ONE_HOST)
    ensure(cluster, tmp_path, now=NOW)
    reasons = {
        entry.reason[: len(reason)] for entry in ensure(cluster, tmp_path, now=NOW + timedelta(days=days)).issued
    }
    assert reasons == ({reason} if reason else set())


def test_leaf_does_not_outlive_authority(tmp_path: Path) -> None:
    cluster, late = make_cluster(**ONE_HOST), NOW + timedelta(days=3640)
    ensure(cluster, tmp_path, now=NOW)
    report = ensure(cluster, tmp_path, now=late)
    assert report.reissued
    assert [warning.split(" ")[3] for warning in report.warnings] == ["ca.crt", "etcd-ca.crt", "front-proxy-ca.crt"]
    assert {info.not_after for info in certificates(tmp_path)} == {NOW + timedelta(days=3650)}
    # It cannot be made to last longer, so it is not issued again and again.
    assert not ensure(cluster, tmp_path, now=late).changed


REFUSED: list[tuple[str, str, Callable[[Path], object]]] = [
    ("ca.key is missing", "backup", lambda pki: (pki / "ca.key").unlink()),
    ("is not the key of", "backup", lambda pki: (pki / "etcd-ca.key").write_bytes(private_pem(new_key()))),
    ("sa.key is missing", "backup", lambda pki: (pki / "sa.key").unlink()),
    ("encryption.key is missing", "backup", lambda pki: (pki / "encryption.key").unlink()),
    ("encryption.key does not hold 32 bytes", "backup", lambda pki: (pki / "encryption.key").write_text("AAAA")),
    ("ca.crt holds no certificate", "", lambda pki: (pki / "ca.crt").write_text("?")),
]


@pytest.mark.parametrize(("message", "remedy", "damage"), REFUSED)
def test_authorities_are_never_replaced(pki: Path, message: str, remedy: str, damage: Callable[[Path], object]) -> None:
    damage(pki)
    before = {path: path.read_bytes() for path in pki.rglob("*") if path.is_file()}
    with pytest.raises(KubikkError, match=message) as caught:
        ensure(make_cluster(), pki, now=NOW)
    assert remedy in (caught.value.remedy or "")
    assert {path: path.read_bytes() for path in pki.rglob("*") if path.is_file()} == before


def test_expired_authority(pki: Path) -> None:
    with pytest.raises(KubikkError, match=r"ca\.crt expired on 2036-"):
        ensure(make_cluster(), pki, now=NOW + timedelta(days=3651))


def test_open_key_is_closed(pki: Path) -> None:
    (pki / "admin.key").chmod(0o644)
    report = ensure(make_cluster(), pki, now=NOW)
    assert not report.changed
    assert [warning.split(" ")[0] for warning in report.warnings] == ["admin.key"]
    assert (pki / "admin.key").stat().st_mode & 0o777 == 0o600


def test_hosts_that_are_gone_are_kept(pki: Path) -> None:
    cluster = make_cluster(**{"hosts": [{"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]}]})
    report = ensure(cluster, pki, now=NOW)
    assert report.abandoned == ("control-plane/cp2", "etcd/cp2", "kubelet/cp2", "kubelet/w1")
    assert (pki / "kubelet/w1/client.key").exists()


def test_long_host_name(tmp_path: Path) -> None:
    hosts = [{"name": "h" * 60, "address": "10.0.0.1", "roles": ["control-plane"]}]
    with pytest.raises(KubikkError, match="longer than 64 characters") as caught:
        ensure(make_cluster(hosts=hosts), tmp_path, now=NOW)
    assert "shorter name" in (caught.value.remedy or "")


class _Killed(BaseException):
    """Stands for kill -9: nothing handles it."""


SECRETS = 9
"""Files that are made first: keys of service accounts and encryption, three authorities."""


@pytest.mark.parametrize("step", range(SECRETS + 4))
def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """A run that ends at any of its renames is completed by the next, without replacing a secret."""
    cluster, rename, left = make_cluster(**ONE_HOST), Path.replace, step

    def replace(path: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Killed
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(_Killed):
        ensure(cluster, tmp_path, now=NOW)
    monkeypatch.setattr(Path, "replace", rename)
    # As if another process had been killed.
    for path in tmp_path.rglob(".*"):
        path.rename(path.with_suffix(".1"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".1"}
    assert len(before) == step
    ensure(cluster, tmp_path, now=NOW)
    assert not list(tmp_path.rglob(".*"))
    kept = [path for path, content in before.items() if path.read_bytes() == content]
    # A leaf that has its key and not yet its certificate is issued anew.
    assert len(kept) == step - (step > SECRETS and (step - SECRETS) % 2)
    for path in tmp_path.rglob("*.crt"):
        certificate, key = load_certificate(path), load_key(path.with_suffix(".key"))
        assert certificate
        assert key
        assert matches(certificate, key)
    assert not ensure(cluster, tmp_path, now=NOW).changed


def test_report_of_a_new_pki(tmp_path: Path) -> None:
    report = ensure(make_cluster(**ONE_HOST), tmp_path, now=NOW)
    assert report.issued[0] == Issued("sa.key", NEW)
    assert {entry.reason for entry in report.issued} == {NEW}
    assert report.reissued == ()


def test_unwritable_directory(tmp_path: Path) -> None:
    (tmp_path / "pki").write_text("")
    with pytest.raises(KubikkError, match="cannot be made"):
        ensure(make_cluster(), tmp_path / "pki" / "x", now=NOW)
    with pytest.raises(KubikkError, match="cannot be written"):
        files.write(tmp_path / "missing" / "x", b"", files.PUBLIC)


def test_keys_are_p256(original: Path) -> None:
    for path in original.rglob("*.key"):
        if path.name not in ("sa.key", "encryption.key"):
            key = load_key(path)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            assert key.curve.name == "secp256r1"


def test_all_leaves_are_renewed_when_asked(pki: Path) -> None:
    before = {path: path.read_bytes() for path in pki.rglob("*") if path.is_file()}
    report = ensure(make_cluster(), pki, now=NOW, renew=True)
    assert {entry.reason for entry in report.issued} == {ASKED}
    changed = {path.relative_to(pki) for path, content in before.items() if path.read_bytes() != content}
    kept = {Path(name) for name in ("sa.key", "sa.pub", "encryption.key")}
    kept |= {Path(f"{name}{suffix}") for name in ("ca", "etcd-ca", "front-proxy-ca") for suffix in (".crt", ".key")}
    assert {path.relative_to(pki) for path in before} - changed == kept
