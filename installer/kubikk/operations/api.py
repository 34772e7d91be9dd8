"""Which API server answers the operator."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx

from kubikk import pki
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
