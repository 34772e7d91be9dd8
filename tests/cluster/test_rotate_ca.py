"""All authorities are replaced while the cluster runs, and while pods and users ask it all along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509

from kubikk.pki.leaves import AUTHORITIES
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.description import Description
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk
from tests.cluster.support.served import served
from tests.cluster.support.upgrading import guarded_service
from tests.cluster.support.uptime import measured

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

_VERSION = "v1.37.2"
_KUBELET = "/var/lib/kubelet/pki/kubelet-client-current.pem"


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A cluster with three members of etcd and two workers."""
    with own_lab(f"{lab_name}-ca", tmp_path_factory.mktemp("ca"), control_planes=3, workers=2) as own:
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        yield own


def _admin(own_cluster: Description) -> Api:
    return administrator(own_cluster.api_server(), own_cluster.pki)


def test_all_of_them_without_an_interruption(own: OwnLab, own_cluster: Description, own_hosts: Access) -> None:
    backend = guarded_service(own_cluster, own_hosts, _admin(own_cluster), _VERSION)
    old = {name: (own.directory / "pki" / f"{name}.crt").read_bytes() for name in AUTHORITIES}
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    with measured(own_hosts.output, "w1", urls) as uptime:
        paused = kubikk("certs", "rotate-ca", "--pause", "-f", str(own.file), timeout=1200)
        assert paused.returncode == 0, paused.stdout
        assert "run `kubikk certs rotate-ca` again" in paused.stdout, paused.stdout
        done = kubikk("certs", "rotate-ca", "-f", str(own.file), timeout=1200)
    print(paused.stdout, done.stdout)
    assert done.returncode == 0, done.stdout
    for name in AUTHORITIES:
        content = (own.directory / "pki" / f"{name}.crt").read_bytes()
        assert content != old[name]
        assert len(x509.load_pem_x509_certificates(content)) == 1
    # A server that takes more than a second for a health check, which a busy machine can bring about, is left at once,
    # and what was asked of it is asked of another.
    assert uptime["API"].longest < 1, uptime["API"]
    assert uptime["Service"].failed == 0, uptime["Service"]


def test_nothing_is_left_of_the_old_ones(own: OwnLab, own_cluster: Description, own_hosts: Access) -> None:
    for host in own_cluster.control_planes:
        for port, authority in ((6443, "ca"), (2379, "etcd-ca"), (2380, "etcd-ca")):
            served(own_cluster, host.address, port, authority)
    for host in own_cluster.nodes:
        served(own_cluster, host.address, 10250, "ca")
        issuer = own_hosts.output(host.name, f"openssl x509 -noout -issuer -in {_KUBELET}")
        assert "kubernetes-ca-2" in issuer
        found = own_hosts.output(
            host.name,
            "find /etc/kubernetes /etc/etcd /etc/haproxy -name '*.crt' 2>/dev/null"
            " -exec sh -c 'openssl crl2pkcs7 -nocrl -certfile $0 | openssl pkcs7 -print_certs -noout' {} \\; || true",
        )
        issuers = {line for line in found.splitlines() if line.startswith("issuer")}
        assert issuers
        assert all(line.rstrip().endswith("-2") for line in issuers), issuers


def test_pods_and_programs_trust_the_new_ones(own: OwnLab, own_cluster: Description, own_hosts: Access) -> None:
    api = _admin(own_cluster)
    wanted = (own.directory / "pki" / "ca.crt").read_text().strip()
    for item in api.items("/api/v1/configmaps", fieldSelector="metadata.name=kube-root-ca.crt"):
        assert item["data"]["ca.crt"].strip() == wanted
    ready = [
        each["status"]
        for node in api.items("/api/v1/nodes")
        for each in node["status"]["conditions"]
        if each["type"] == "Ready"
    ]
    assert ready == ["True"] * 5
    assert kubikk("status", "-f", str(own.file)).returncode == 0
    again = kubikk("up", "-f", str(own.file))
    assert "nothing to do" in again.stdout, again.stdout
