"""Options of all tests."""

from __future__ import annotations

import os
import signal

import pytest


def pytest_configure() -> None:
    """Lets Ctrl-C reach what tests start: a shell's background jobs, as in .ci/run, are born ignoring it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which cluster the tests below cluster/ look at."""
    parser.addoption(
        "--cluster-dir",
        default=os.environ.get("KUBIKK_CLUSTER_DIR", "inventory/lab"),
        metavar="DIRECTORY",
        help="inventory directory of the running lab to test (default: $KUBIKK_CLUSTER_DIR or inventory/lab)",
    )
