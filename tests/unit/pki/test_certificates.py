"""What the certificates say, checked by an independent reader where there is one."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509.verification import PolicyBuilder, Store

from kubikk.errors import KubikkError
from kubikk.pki import CertificateInfo, certificates, describe

from .conftest import NOW

LOCAL = ("127.0.0.1", "::1")
API = (
    *("cp1", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
    *("localhost", "10.0.0.11", "10.96.0.1", *LOCAL),
)

Said = tuple[str, str, tuple[str, ...], tuple[str, ...]]

# issuer, common name, organizations, what it is valid for
SUBJECTS: dict[str, Said] = {
    "admin": ("kubernetes-ca", "kubernetes-admin", ("system:masters",), ()),
    "etcd/cp1/server": ("etcd-ca", "kube-etcd", (), ("cp1", "localhost", "10.0.0.11", *LOCAL)),
    "etcd/cp1/peer": ("etcd-ca", "kube-etcd-peer", (), ("cp1", "localhost", "10.0.0.11", *LOCAL)),
    "etcd/cp1/healthcheck": ("etcd-ca", "kube-etcd-healthcheck-client", (), ()),
    "control-plane/cp1/apiserver": ("kubernetes-ca", "kube-apiserver", (), API),
    "control-plane/cp1/apiserver-kubelet-client": ("kubernetes-ca", "kube-apiserver-kubelet-client", (), ()),
    "control-plane/cp1/apiserver-etcd-client": ("etcd-ca", "kube-apiserver-etcd-client", (), ()),
    "control-plane/cp1/front-proxy-client": ("kubernetes-front-proxy-ca", "front-proxy-client", (), ()),
    "control-plane/cp1/controller-manager": ("kubernetes-ca", "system:kube-controller-manager", (), ()),
    "control-plane/cp1/scheduler": ("kubernetes-ca", "system:kube-scheduler", (), ()),
    "control-plane/cp1/scheduler-server": (
        *("kubernetes-ca", "kube-scheduler", ()),
        ("cp1", "localhost", "10.0.0.11", "127.0.0.1"),
    ),
    "kubelet/w1/client": ("kubernetes-ca", "system:node:w1", ("system:nodes",), ()),
    "kubelet/w1/server": ("kubernetes-ca", "system:node:w1", ("system:nodes",), ("w1", "10.0.0.21")),
    "kubelet/w1/kube-proxy": ("kubernetes-ca", "system:kube-proxy", (), ()),
    "kubelet/w1/flannel": ("kubernetes-ca", "system:flannel", (), ()),
}


@pytest.mark.parametrize(("path", "said"), SUBJECTS.items())
def test_subjects(original: Path, path: str, said: Said) -> None:
    info = describe(path, (original / f"{path}.crt").read_bytes())
    assert (info.issuer, info.common_name, info.organizations) == said[:3]
    assert sorted(info.names) == sorted(said[3])
    assert not info.is_authority
    assert (info.not_before, info.not_after) == (NOW - timedelta(minutes=5), NOW + timedelta(days=365))
    assert info.days_left(NOW) == 365
    assert info.days_left(NOW + timedelta(days=366)) == -1


VERIFIED = [
    ("ca", "control-plane/cp1/apiserver", "kubernetes.default.svc"),
    ("ca", "kubelet/w1/server", "w1"),
    ("etcd-ca", "etcd/cp2/server", "localhost"),
]


@pytest.mark.parametrize(("authority", "path", "name"), VERIFIED)
def test_servers_verify(original: Path, authority: str, path: str, name: str) -> None:
    """cryptography's verifier holds certificates to what browsers demand."""
    root = x509.load_pem_x509_certificate((original / f"{authority}.crt").read_bytes())
    leaf = x509.load_pem_x509_certificate((original / f"{path}.crt").read_bytes())
    verifier = PolicyBuilder().store(Store([root])).time(NOW).build_server_verifier(x509.DNSName(name))
    assert verifier.verify(leaf, []) == [leaf, root]


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize(
    ("purpose", "authority", "path", "accepted"),
    [
        ("sslserver", "ca", "control-plane/cp1/apiserver", True),
        ("sslclient", "ca", "control-plane/cp1/apiserver", False),
        ("sslclient", "ca", "kubelet/w1/client", True),
        ("sslserver", "ca", "kubelet/w1/client", False),
        ("sslclient", "etcd-ca", "etcd/cp1/server", True),
        ("sslserver", "etcd-ca", "etcd/cp1/peer", True),
        ("sslclient", "etcd-ca", "kubelet/w1/client", False),
    ],
)
def test_openssl_agrees(original: Path, purpose: str, authority: str, path: str, accepted: bool) -> None:
    at = str(int(NOW.timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", at, "-purpose", purpose]
    command += ["-CAfile", str(original / f"{authority}.crt"), str(original / f"{path}.crt")]
    assert (subprocess.run(command, capture_output=True, check=False).returncode == 0) is accepted


def test_listing(original: Path) -> None:
    found = certificates(original)
    assert [info.path for info in found if info.is_authority] == ["ca.crt", "etcd-ca.crt", "front-proxy-ca.crt"]
    assert len(found) == 5 + 2 * 3 + 2 * 8 + 3 * 4
    assert found[0].to_dict()["not_after"] == "2027-05-01T12:00:00+00:00"
    assert isinstance(found[0], CertificateInfo)


def test_listing_of_nothing(tmp_path: Path) -> None:
    assert certificates(tmp_path / "missing") == []


def test_no_certificate() -> None:
    with pytest.raises(KubikkError, match="x holds no certificate"):
        describe("x", b"")


def test_service_account_pair(original: Path) -> None:
    public = load_pem_public_key((original / "sa.pub").read_bytes())
    assert getattr(public, "key_size", 0) == 2048
