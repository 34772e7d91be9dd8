"""These tests run where they are asked for by their mark, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips them without ``-m vm``."""
    if "vm" in str(config.option.markexpr):
        return
    skipped = pytest.mark.skip(reason="takes long: ask for it with -m vm")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skipped)
