"""Certificates that hosts serve: whose they are, by whom, and for how long."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from cryptography import x509

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.served import served

_YEAR = timedelta(days=366)
_NODE_CERTIFICATES = (
    "find /etc/kubernetes /etc/etcd /var/lib/kubelet/pki -type f "
    r"\( -name '*.crt' -o -name '*.pem' \) ! -name '*ca.crt' -print 2>/dev/null; true"
)


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_server_has_a_certificate_for_its_address(cluster: Description, subtests: pytest.Subtests) -> None:
    servers = [
        *((host, 10250, "ca") for host in cluster.nodes),
        *((host, cluster.api_port, "ca") for host in cluster.control_planes),
        *((host, port, "etcd-ca") for host in cluster.etcd_hosts for port in (2379, 2380)),
    ]
    for host, port, authority in servers:
        with subtests.test(host=host.name, port=port):
            certificate = served(cluster, host.address, port, authority)
            assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= _YEAR
            certificate.verify_directly_issued_by(_load(cluster.pki / f"{authority}.crt"))


def test_three_separate_authorities(cluster: Description) -> None:
    authorities = [_load(cluster.pki / f"{name}.crt") for name in ("ca", "etcd-ca", "front-proxy-ca")]
    assert len({each.subject.rfc4514_string() for each in authorities}) == 3
    assert not any(one.public_key() == other.public_key() for one, other in combinations(authorities, 2))


def test_certificates_on_hosts_last_a_year(cluster: Description, access: Access, subtests: pytest.Subtests) -> None:
    for host in cluster.hosts:
        with subtests.test(host=host):
            paths = access.output(host, _NODE_CERTIFICATES).splitlines()
            assert paths
            text = access.output(host, "cat " + " ".join(paths))
            for certificate in x509.load_pem_x509_certificates(text.encode()):
                name = certificate.subject.rfc4514_string()
                assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= _YEAR, name
