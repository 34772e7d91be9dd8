"""Packages of which one of several will do."""

from __future__ import annotations

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import packages

ENGINE = "docker-ce | docker.io"


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (set(), [ENGINE, "socat"]),
        ({"docker.io"}, ["socat"]),
        ({"docker-ce", "socat"}, []),
        ({"docker"}, [ENGINE, "socat"]),
    ],
)
def test_absent(monkeypatch: pytest.MonkeyPatch, installed: set[str], expected: list[str]) -> None:
    monkeypatch.setattr(packages, "_installed", lambda names: installed & set(names))
    assert packages.absent([ENGINE, "socat"]) == expected


@pytest.mark.parametrize(
    ("package", "known", "expected"),
    [
        (ENGINE, {"docker-ce", "docker.io"}, "docker-ce"),
        (ENGINE, {"docker.io"}, "docker.io"),
        # What no repository has is left to the package manager to complain of.
        (ENGINE, set(), "docker.io"),
        ("socat", set(), "socat"),
    ],
)
def test_choose(package: str, known: set[str], expected: str) -> None:
    assert packages.choose(package, known.__contains__) == expected
