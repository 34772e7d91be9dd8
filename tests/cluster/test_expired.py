"""Certificates that have expired, some or all, are renewed by `up`, also where no API server and no etcd answers."""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Iterator

import httpx
import pytest
from cryptography import x509

from tests.cluster.support.api import Api, administrator
from tests.cluster.support.expiry import expired
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

_KUBELET = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_FIND = "find /etc/kubernetes /etc/etcd -name '*.crt' ! -name '*ca.crt' 2>/dev/null || true"  # workers have no etcd
_UNITS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "flanneld", "kube-proxy", "kubelet")


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """Three members of etcd, so that they need each other, and a worker."""
    with own_lab(f"{lab_name}-expired", tmp_path_factory.mktemp("expired"), control_planes=3, workers=1) as own:
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        yield own


def _expire_on_host(own: OwnLab, host: str, paths: list[str]) -> None:
    """Puts expired certificates in the place of those on a host, keys as they are."""
    commands = []
    for path in paths:
        before = own.run(host, f"cat {path}")
        old = expired(x509.load_pem_x509_certificate(before.encode()), own.directory / "pki").decode()
        rest = before.partition("-----END CERTIFICATE-----\n")[2]
        commands.append(f"printf %s {shlex.quote(old + rest)} > {path}")
    own.run(host, " && ".join(commands))


def _expire_here(own: OwnLab) -> None:
    pki = own.directory / "pki"
    for path in pki.rglob("*.crt"):
        if not path.name.endswith("ca.crt"):
            path.write_bytes(expired(x509.load_pem_x509_certificate(path.read_bytes()), pki))


def _api(own: OwnLab) -> Api:
    pki = own.directory / "pki"
    address = own.lab.hosts()[0].address
    return administrator(f"https://{address}:6443", pki)


def _ready(own: OwnLab) -> set[str]:
    return {
        node["metadata"]["name"]
        for node in _api(own).items("/api/v1/nodes")
        if any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])
    }


def test_one_kubelet_whose_host_was_off_for_too_long(own: OwnLab) -> None:
    own.run("w1", "systemctl stop kubelet")
    _expire_on_host(own, "w1", [_KUBELET])
    own.run("w1", "systemctl start --no-block kubelet")
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    assert "kubelet's client certificate" in result.stdout, result.stdout
    until(lambda: "w1" in _ready(own), "w1 is Ready", within=60)
    again = kubikk("up", "-f", str(own.file))
    assert "nothing to do" in again.stdout, again.stdout


def test_all_of_them_and_nothing_answers(own: OwnLab) -> None:
    everyone = {host.name for host in own.lab.hosts()}
    for host in everyone:
        own.run(host, f"systemctl stop {' '.join(_UNITS)} 2>/dev/null || true")
        _expire_on_host(own, host, [*own.run(host, _FIND).split(), _KUBELET])
    _expire_here(own)
    for host in everyone:
        units = _UNITS if host.startswith("cp") else _UNITS[4:]
        own.run(host, f"systemctl start --no-block {' '.join(units)}")
    context = ssl.create_default_context(cafile=str(own.directory / "pki" / "ca.crt"))
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"https://{own.lab.hosts()[0].address}:6443/readyz", verify=context, trust_env=False, timeout=5)
    shown = kubikk("certs", "show", "-f", str(own.file))
    assert shown.returncode == 1, shown.stdout
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    until(lambda: _ready(own) == everyone, "all Ready", within=90)
    valid = kubikk("certs", "show", "-f", str(own.file))
    assert valid.returncode == 0, valid.stdout
    again = kubikk("up", "-f", str(own.file))
    assert "nothing to do" in again.stdout, again.stdout
