"""Whole inventories, compared with what is kept in golden/.

After a deliberate change, ``KUBIKK_UPDATE_GOLDEN=1 pytest tests/unit/inventory`` writes them anew; review the diff.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster
from kubikk.inventory import build

from .cases import ARTIFACTS, CASES

GOLDEN = Path(__file__).parent / "golden"


def _update(directory: Path, files: dict[str, tuple[str, int]]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for relative, (text, _) in files.items():
        path = directory / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, cluster: Callable[[str], Cluster]) -> None:
    files = build(cluster(case), ARTIFACTS).files()
    directory = GOLDEN / case
    if os.environ.get("KUBIKK_UPDATE_GOLDEN"):
        _update(directory, files)
    golden = {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*.yml")}
    assert {relative: text for relative, (text, _) in files.items()} == golden


def test_no_golden_directory_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)


def test_modes(cluster: Callable[[str], Cluster]) -> None:
    modes = {relative: mode for relative, (_, mode) in build(cluster("single-node"), {}).files().items()}
    assert modes == {"hosts.yml": 0o644, "group_vars/all.yml": 0o600, "host_vars/one.yml": 0o644}
