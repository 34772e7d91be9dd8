"""The API server that answers the operator."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from kubikk import pki
from kubikk.error_codes import API_UNHEALTHY
from kubikk.errors import KubikkError
from kubikk.operations.workspace import Workspace


def answering_context(workspace: Workspace) -> str | None:
    """The kubeconfig's first context whose API server is ready, or None where none is.

    Args:
        workspace: the cluster and its directory.
    """
    endpoints = pki.endpoints(workspace.cluster)
    trust = ssl.create_default_context(cafile=str(workspace.pki / "ca.crt"))

    def ready(url: str) -> bool:
        try:
            return httpx.get(f"{url}/readyz", verify=trust, timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(ready, endpoints.values()))
    return next((name for name, good in zip(endpoints, answers, strict=True) if good), None)


@contextmanager
def administrator(workspace: Workspace) -> Iterator[httpx.Client]:
    """A client of the first API server that is ready, as the administrator.

    Args:
        workspace: the cluster and its directory.

    Raises:
        KubikkError: none is ready.
    """
    name = answering_context(workspace)
    if name is None:
        raise KubikkError("no API server is ready", code=API_UNHEALTHY)
    context = ssl.create_default_context(cafile=str(workspace.pki / "ca.crt"))
    context.load_cert_chain(workspace.pki / "admin.crt", workspace.pki / "admin.key")
    server = pki.endpoints(workspace.cluster)[name]
    # No proxy: these are addresses of the cluster's own network.
    with httpx.Client(base_url=server, verify=context, timeout=20, trust_env=False) as client:
        try:
            yield client
        except httpx.HTTPError as error:
            raise KubikkError(
                f"{server} does not answer any more", cause=str(error) or type(error).__name__, code=API_UNHEALTHY
            ) from error
