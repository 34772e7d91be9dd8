"""What each run leaves behind: ``inventory/<name>/runs/<time>-<verb>/``.

``run.json`` says what was begun, with which versions; ``cluster.yml`` is the cluster file as it was; ``events.jsonl``
holds what happened, ``ansible.log`` what Ansible printed; ``summary.json`` is written at the end.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from kubikk.ansible.events import Event, parse
from kubikk.ansible.lock import is_held
from kubikk.ansible.redaction import Redactor

KEEP = 20

State = Literal["done", "failed", "interrupted", "running"]

_STEM = "%Y%m%dT%H%M%S.%fZ"


def new_run(directory: Path, verb: str, cluster_file: Path, redact: Redactor, facts: dict[str, Any]) -> Path:
    """Makes the directory of a run.

    Args:
        directory: the cluster's, ``inventory/<name>``.
        verb: what the run does, for example ``up``.
        cluster_file: copied into it.
        redact: takes secrets out.
        facts: what is known of the run already: versions, command.
    """
    runs = directory / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = datetime.now(UTC)
    run = runs / f"{begun.strftime(_STEM)}-{verb}"
    run.mkdir(mode=0o700)
    (run / "cluster.yml").write_text(redact(cluster_file.read_text()))
    _write(run / "run.json", {"verb": verb, "begun": begun.isoformat(timespec="milliseconds"), **facts}, redact)
    return run


def write_summary(run: Path, summary: dict[str, Any], redact: Redactor) -> None:
    """Notes how a run ended, in ``summary.json``, and removes old runs, so that the last 20 stay."""
    _write(run / "summary.json", summary, redact)
    for old in sorted(path for path in run.parent.iterdir() if path.is_dir())[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def has_ended(run: Path) -> bool:
    """Whether it was noted how a run ended."""
    return (run / "summary.json").exists()


def _write(path: Path, content: dict[str, Any], redact: Redactor) -> None:
    path.write_text(redact(json.dumps(content, indent=2, sort_keys=True)) + "\n")


@dataclass(frozen=True)
class PastRun:
    """A run, as it lies in the journal.

    Attributes:
        directory: its directory, whose name is the run's.
        facts: of ``run.json``.
        summary: of ``summary.json``; empty where the run did not come to its end.
        state: how it ended; a run that was killed is interrupted.
    """

    directory: Path
    facts: dict[str, Any]
    summary: dict[str, Any]
    state: State

    @property
    def name(self) -> str:
        """What it is called."""
        return self.directory.name

    @property
    def verb(self) -> str:
        """What it did."""
        return str(self.facts.get("verb") or self.name.partition("-")[2])

    @property
    def begun(self) -> datetime:
        """When it began."""
        return datetime.strptime(self.name.partition("-")[0], _STEM).replace(tzinfo=UTC)

    @property
    def duration(self) -> timedelta:
        """How long it took, or until its last sign of life."""
        if "seconds" in self.summary:
            return timedelta(seconds=self.summary["seconds"])
        last = max((path.stat().st_mtime for path in self.directory.iterdir()), default=self.begun.timestamp())
        return timedelta(seconds=max(0.0, last - self.begun.timestamp()))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What went wrong, as ``KubikkError.to_dict``; a list of problems counts as one."""
        hosts = self.summary.get("hosts", {}).values()
        found = [host["error"] for host in hosts if host.get("error")]
        return found + ([self.summary["error"]] if self.summary.get("error") else [])

    @property
    def events(self) -> Iterator[Event]:
        """What happened, in order."""
        path = self.directory / "events.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            event = parse(line)
            if event is not None:
                yield event

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "run": self.name,
            "verb": self.verb,
            "state": self.state,
            "begun": self.begun.isoformat(timespec="seconds"),
            "seconds": round(self.duration.total_seconds(), 1),
            "changes": self.summary.get("changes"),
            "versions": self.facts.get("versions", {}),
            "errors": self.errors,
            "directory": str(self.directory),
        }


def past_runs(directory: Path) -> list[PastRun]:
    """The runs of a cluster that are still kept, oldest first.

    Args:
        directory: the cluster's, ``inventory/<name>``.
    """
    runs = directory / "runs"
    paths = sorted(path for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []
    # A run that did not note its end is at work only while somebody holds the lock, which the kernel frees.
    at_work = is_held(directory)
    return [_read(path, running=at_work and path == paths[-1]) for path in paths]


def _read(path: Path, *, running: bool) -> PastRun:
    facts, summary = _load(path / "run.json"), _load(path / "summary.json")
    state: State
    if not summary:
        state = "running" if running else "interrupted"
    elif summary.get("interrupted"):
        state = "interrupted"
    else:
        wrong = summary.get("exit") or summary.get("error")
        state = "failed" if wrong else "done"
    return PastRun(path, facts, summary, state)


def _load(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content
