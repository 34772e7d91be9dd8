"""One execution at a time on a host."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils.alone import BusyError, alone


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    path, order = str(tmp_path / "lock"), []

    def second() -> None:
        with alone(True, path):
            order.append("second")

    with alone(True, path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_one_that_does_not_end_is_told_of(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with (
        alone(True, path),
        pytest.raises(BusyError, match=r"process \d+ of another run"),
        alone(True, path, patience=0.2),
    ):
        pass


def test_check_mode_waits_for_nobody(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with alone(True, path), alone(False, path, patience=0.0):
        pass
