"""Secrets in the Kubernetes API, written again as they are: the API server encrypts them with its present key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from kubikk.errors import KubikkError

PATH = "/api/v1/secrets"
_PAGE = 500
# Of a Secret that somebody changed or deleted meanwhile there is nothing to write: who changed it wrote it anew.
_MOOT = (404, 409)


def rewrite(client: httpx.Client, on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Writes every Secret again, and makes sure that none was left out.

    Args:
        client: of an API server, as an administrator; all servers write with the new key.
        on_progress: told how many were written.

    Returns:
        How many.

    Raises:
        KubikkError: a Secret could not be written, or was not.
    """
    begun = int(_page(client, limit=1)["metadata"]["resourceVersion"])
    done, written = 0, set()
    for secret in _all(client):
        metadata = secret["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/secrets/{metadata['name']}"
        answer = client.put(path, json={**secret, "apiVersion": "v1", "kind": "Secret"})
        if answer.status_code not in (200, *_MOOT):
            raise KubikkError(
                f"the Secret {metadata['namespace']}/{metadata['name']} cannot be written again",
                cause=f"the API server answers {answer.status_code}: {_reason(answer)}",
                remedy="mend what it names (an admission webhook?), then run the same command again",
            )
        if answer.status_code == 200:
            # It has the new key now, or had it: then the server leaves it as it is, with the number that it had.
            written.add(metadata["uid"])
        done += 1
        on_progress(done)
    # etcd counts every write: what is younger than the beginning was written with the new key.
    found = [secret["metadata"] for secret in _all(client)]
    left = [each for each in found if each["uid"] not in written and int(each["resourceVersion"]) <= begun]
    if left:
        names = ", ".join(f"{each['namespace']}/{each['name']}" for each in left[:5])
        raise KubikkError(
            f"{len(left)} Secrets were not written again: {names}",
            remedy="run the same command again; the old key stays",
        )
    return done


def _all(client: httpx.Client) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        page = _page(client, limit=_PAGE, **({"continue": token} if token else {}))
        yield from page["items"]
        token = page["metadata"].get("continue", "")
        if not token:
            return


def _page(client: httpx.Client, **parameters: Any) -> dict[str, Any]:
    answer = client.get(PATH, params=parameters)
    if answer.status_code != 200:
        raise KubikkError("Secrets cannot be listed", cause=f"the API server answers {answer.status_code}")
    content: dict[str, Any] = answer.json()
    return content


def _reason(answer: httpx.Response) -> str:
    """The API's own message; it names objects and no data."""
    try:
        return str(answer.json().get("message", ""))
    except ValueError:
        return ""
