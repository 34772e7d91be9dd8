"""What each run leaves behind: ``inventory/<name>/runs/<time>-<verb>/``."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEEP = 20


def new_run(directory: Path, verb: str, cluster_file: Path | None = None) -> Path:
    """Makes the directory of a run and removes those of old ones, so that the last 20 stay.

    Args:
        directory: the cluster's, ``inventory/<name>``.
        verb: what the run does, for example ``up``.
        cluster_file: copied into it.
    """
    runs = directory / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in sorted(path for path in runs.iterdir() if path.is_dir())[: -(KEEP - 1)]:
        shutil.rmtree(old, ignore_errors=True)
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{verb}"
    run = runs / stem
    run.mkdir(mode=0o700)
    if cluster_file is not None:
        shutil.copy(cluster_file, run / "cluster.yml")
    return run


def write_summary(run: Path, summary: dict[str, Any]) -> None:
    """Notes how a run ended, in ``summary.json``."""
    (run / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
