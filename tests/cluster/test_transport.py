"""What the hosts' ports speak: TLS 1.2 or newer, and no plain HTTP beyond a host's own loopback."""

from __future__ import annotations

import json
import socket
import ssl
from ipaddress import ip_address

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description

# Sends a plain request to every listening TCP socket of the host, at the address it listens on.
_LISTENERS = r"""
import json, socket, subprocess, sys
found = []
for line in subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=True).stdout.splitlines():
    address, port = line.split()[3].rsplit(":", 1)
    address = address.strip("[]").split("%")[0].removeprefix("::ffff:")
    target = {"*": sys.argv[1], "0.0.0.0": sys.argv[1], "::": sys.argv[1]}.get(address, address)
    answer = b""
    try:
        with socket.create_connection((target, int(port)), timeout=3) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while len(answer) < 4096 and (part := sock.recv(4096)):
                answer += part
    except OSError:
        pass
    found.append([target, int(port), answer.decode("latin-1")])
print(json.dumps(found))
"""
# What Go's TLS servers say to who speaks plain HTTP.
_REFUSAL = "Client sent an HTTP request to an HTTPS server"


def test_no_plain_http_beyond_loopback(cluster: Description, access: Access, subtests: pytest.Subtests) -> None:
    for host in cluster.hosts.values():
        with subtests.test(host=host.name):
            listeners = json.loads(access.python(host.name, _LISTENERS, host.address))
            plain = [
                f"{address}:{port}: {answer[:100]!r}"
                for address, port, answer in listeners
                if not ip_address(address).is_loopback and answer.startswith("HTTP/") and _REFUSAL not in answer
            ]
            assert plain == []
            # The question is one that gets answers: kubelet's health endpoint on loopback is plain HTTP.
            if host in cluster.nodes:
                assert any(port == 10248 and answer.startswith("HTTP/") for _, port, answer in listeners)


def test_controllers_listen_on_loopback_only(cluster: Description) -> None:
    for host in cluster.control_planes:
        for port in (10257, 10259):
            with socket.socket() as sock:
                sock.settimeout(3)
                assert sock.connect_ex((host.address, port)) != 0, f"{host.name}:{port}"


def _endpoints(cluster: Description) -> list[tuple[str, int]]:
    """Every TLS port that other hosts reach."""
    return [
        *((host.address, 10250) for host in cluster.nodes),
        *((host.address, cluster.api_port) for host in cluster.control_planes),
        *((host.address, port) for host in cluster.etcd_hosts for port in (2379, 2380)),
    ]


def _connect(address: str, port: int, context: ssl.SSLContext) -> str | None:
    with socket.create_connection((address, port), timeout=5) as plain, context.wrap_socket(plain) as wrapped:
        return wrapped.version()


def _any_server(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that speaks one version, and does not care to whom."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # This machine's own OpenSSL would refuse old versions before the server could.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(cluster: Description, version: ssl.TLSVersion) -> None:
    for address, port in _endpoints(cluster):
        with pytest.raises(ssl.SSLError) as refusal:
            _connect(address, port, _any_server(version))
        # The server's alert: it was the server that refused.
        assert "alert protocol version" in str(refusal.value).lower(), f"{address}:{port}: {refusal.value}"


def test_tls_1_2_is_accepted(cluster: Description) -> None:
    """The other half of the test above. etcd asks for a certificate, and says so only afterwards."""
    for host in cluster.control_planes:
        assert _connect(host.address, cluster.api_port, _any_server(ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"


@pytest.mark.parametrize("pair", ["", "admin"])
def test_etcd_wants_a_certificate_of_its_own_authority(cluster: Description, pair: str) -> None:
    """The cluster's own administrator is nobody to etcd."""
    for host in cluster.etcd_hosts:
        for port in (2379, 2380):
            context = ssl.create_default_context(cafile=str(cluster.pki / "etcd-ca.crt"))
            if pair:
                context.load_cert_chain(str(cluster.pki / f"{pair}.crt"), str(cluster.pki / f"{pair}.key"))
            with (
                pytest.raises(OSError, match=r"alert|reset|EOF|closed"),
                socket.create_connection((host.address, port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=host.address) as wrapped,
            ):
                wrapped.sendall(b"GET /health HTTP/1.1\r\nHost: etcd\r\n\r\n")
                assert wrapped.recv(100) == b"", "it answered"
                raise ConnectionResetError("closed without an answer")
