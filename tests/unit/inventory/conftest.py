"""Clusters of the golden inventories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster, load

from .cases import CASES

_KEY = "/keys/id"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Cluster]:
    """Loads the cluster file of a case; the key it names counts as present."""
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: str(path) == _KEY or is_file(path))

    def _load(case: str) -> Cluster:
        path = tmp_path / "cluster.yml"
        path.write_text(CASES[case])
        return load(path)

    return _load
