"""Options of all tests."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which cluster the tests below cluster/ look at."""
    parser.addoption(
        "--cluster-dir",
        default=os.environ.get("KUBIKK_CLUSTER_DIR", "inventory/lab"),
        metavar="DIRECTORY",
        help="inventory directory of the running lab to test (default: $KUBIKK_CLUSTER_DIR or inventory/lab)",
    )
