"""Requests to the Kubernetes API, a kubelet or another TLS server of the cluster."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx


def tls(ca: Path, pair: Path | None = None) -> ssl.SSLContext:
    """A client's TLS settings.

    Args:
        ca: certificate of the authority that the server must be signed by.
        pair: the client's certificate without its suffix, beside its key; None: without one.
    """
    context = ssl.create_default_context(cafile=str(ca))
    if pair is not None:
        context.load_cert_chain(f"{pair}.crt", f"{pair}.key")
    return context


class Api:
    """One server, asked as one user.

    Args:
        server: its URL.
        context: TLS settings.
        token: bearer token; "" for none.
    """

    def __init__(self, server: str, context: ssl.SSLContext, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # trust_env: a proxy of the machine's environment is not for these addresses.
        self._client = httpx.Client(base_url=server, verify=context, headers=headers, timeout=20, trust_env=False)

    def status(self, path: str) -> int:
        """The status code of a GET."""
        return self._client.get(path).status_code

    def text(self, path: str, **parameters: str | int) -> str:
        """The body of a GET.

        Raises:
            AssertionError: the answer is not 200.
        """
        response = self._client.get(path, params=parameters or None)
        assert response.status_code == 200, f"GET {path}: {response.status_code} {response.text[:2000]}"
        return response.text

    def get(self, path: str, **parameters: str | int) -> dict[str, Any]:
        """An object, or a list of them."""
        response = self._client.get(path, params=parameters or None)
        assert response.status_code == 200, f"GET {path}: {response.status_code} {response.text[:2000]}"
        content: dict[str, Any] = response.json()
        return content

    def items(self, path: str, **parameters: str | int) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = self.get(path, **parameters)["items"]
        return found

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Creates an object; returns what the server made of it."""
        response = self._client.post(path, json=content)
        assert response.status_code in (200, 201), f"POST {path}: {response.status_code} {response.text[:2000]}"
        created: dict[str, Any] = response.json()
        return created

    def patch_status(self, path: str, content: dict[str, Any]) -> int:
        """The status code of a merge patch."""
        kind = {"Content-Type": "application/merge-patch+json"}
        return self._client.patch(path, json=content, headers=kind).status_code

    def delete(self, path: str) -> None:
        """Deletes an object."""
        response = self._client.delete(path)
        assert response.status_code in (200, 202, 404), f"DELETE {path}: {response.status_code} {response.text[:2000]}"

    def close(self) -> None:
        """Ends its connections."""
        self._client.close()


def administrator(server: str, pki: Path) -> Api:
    """A server, asked as the administrator.

    Args:
        server: its URL.
        pki: the cluster's directory of certificates.
    """
    return Api(server, tls(pki / "ca.crt", pki / "admin"))
