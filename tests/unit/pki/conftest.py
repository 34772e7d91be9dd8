"""A cluster and its PKI, made once: what is expensive is copied for every test."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubikk.cluster.models import Cluster
from kubikk.pki import ensure

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def make_cluster(**changes: Any) -> Cluster:
    """Two control-plane hosts and a worker."""
    content: dict[str, Any] = {
        "name": "prod",
        "hosts": [
            {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
            {"name": "cp2", "address": "10.0.0.12", "roles": ["control-plane", "worker"]},
            {"name": "w1", "address": "10.0.0.21", "roles": ["worker"]},
        ],
    }
    return Cluster.model_validate({**content, **changes})


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete PKI; not to be changed."""
    directory = tmp_path_factory.mktemp("original") / "pki"
    ensure(make_cluster(), directory, now=NOW)
    return directory


@pytest.fixture
def pki(original: Path, tmp_path: Path) -> Path:
    """A complete PKI to change."""
    return Path(shutil.copytree(original, tmp_path / "pki"))
