"""Cluster files for tests, in a home directory of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster, load


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    return directory


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Cluster]:
    """Loads a cluster file of the given text."""

    def _load(text: str) -> Cluster:
        path = tmp_path / "cluster.yml"
        path.write_text(text)
        return load(path)

    return _load
