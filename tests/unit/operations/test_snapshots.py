"""Snapshots on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.error_codes import SNAPSHOT_FAILED
from kubikk.errors import KubikkError
from kubikk.operations.restore import require_snapshot


@pytest.mark.parametrize(("size", "whole"), [(4096 + 32, True), (4096, False), (4000, False), (0, False), (32, False)])
def test_a_file_that_is_cut_off_is_no_snapshot(size: int, whole: bool, tmp_path: Path) -> None:
    file = tmp_path / "etcd.db"
    file.write_bytes(b"x" * size)
    if whole:
        require_snapshot(file)
        return
    with pytest.raises(KubikkError) as caught:
        require_snapshot(file)
    assert caught.value.code is SNAPSHOT_FAILED


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(KubikkError, match="there is no file"):
        require_snapshot(tmp_path / "none.db")
