"""Whether it is etcd that keeps the API server from answering."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubikk.kubikk.plugins.module_utils import api_failures
from ansible_collections.kubikk.kubikk.plugins.module_utils.kubectl import KubectlError

LINES = ["lost leader"]


class Answering:
    """A kubectl whose every call ends alike.

    Args:
        error: what it raises; None for an answer.
    """

    def __init__(self, error: str | None) -> None:
        self._error = error

    def __call__(self, *arguments: str, **_: Any) -> str:
        assert arguments == ("get", "--raw", "/readyz/etcd")
        if self._error:
            raise KubectlError(self._error)
        return "ok"


def failure(error: str | None) -> dict[str, Any]:
    found: dict[str, Any] = api_failures.of(
        Answering(error), KubectlError("no answer in 60 s"), clock=lambda: 0.0, journal=lambda *_: (LINES, [])
    )
    return found


def test_etcd_does_not_answer() -> None:
    said = "internal server error: error getting data from etcd: context deadline exceeded"
    assert failure(said) == {"kind": "etcd", "seen": f"no answer in 60 s; {said}", "journal": LINES}


def test_something_else() -> None:
    assert failure(None) == {"kind": "api", "seen": "no answer in 60 s"}
    assert failure("connection refused") == {"kind": "api", "seen": "no answer in 60 s"}
