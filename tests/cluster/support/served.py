"""Certificates as servers show them."""

from __future__ import annotations

import socket
import ssl

from cryptography import x509

from tests.cluster.support.description import Description


def served(cluster: Description, address: str, port: int, authority: str) -> x509.Certificate:
    """The certificate at an address, after it was verified for this very address.

    Args:
        cluster: whose authority is trusted.
        address: where it is served.
        port: TCP.
        authority: the name of its file, without suffix.
    """
    context = ssl.create_default_context(cafile=str(cluster.pki / f"{authority}.crt"))
    with (
        socket.create_connection((address, port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=address) as wrapped,
    ):
        content = wrapped.getpeercert(binary_form=True)
    assert content
    return x509.load_der_x509_certificate(content)
