"""``plan``: what ``up`` would do, found out by Ansible's check mode on a copy of the inventory."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from kubikk.ansible.lock import cluster_lock
from kubikk.ansible.summary import Summary
from kubikk.errors import KubikkError, Problem, ProblemsError
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, run
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress

FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What would be done.

    Attributes:
        cluster: the cluster's name.
        cluster_file: sha256 of the cluster file.
        summary: what would be changed and restarted, by host.
    """

    cluster: str
    cluster_file: str
    summary: Summary

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.summary.change_count == 0

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and ``-o``; of diffs, which may be long, only what tells one from another."""
        return {
            "format": FORMAT,
            "cluster": self.cluster,
            "cluster_file": self.cluster_file,
            "hosts": {
                name: {
                    "changed": host.changed,
                    "restarted": host.restarted,
                    "reasons": host.reasons,
                    "diffs": {diff["after_header"]: _diff_digest(diff) for diff in host.diffs},
                }
                for name, host in sorted(self.summary.hosts.items())
                if host.changed or host.restarted
            },
        }


def plan(workspace: Workspace, progress: Progress, options: RunOptions) -> Plan:
    """Finds out what ``up`` would do. Neither hosts nor ``inventory/<name>`` are changed.

    Args:
        workspace: the cluster and its directory.
        progress: told what is prepared.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way, an artifact cannot be had, or hosts are not fit.
    """
    with cluster_lock(workspace.directory) as lock:
        return plan_under_lock(workspace, progress, options, lock)


def plan_under_lock(workspace: Workspace, progress: Progress, options: RunOptions, lock: int) -> Plan:
    """``plan`` for a caller that holds the cluster's lock."""
    with recorded(workspace, "plan") as record, _copy(workspace) as copy:
        prepare(copy, progress)
        lost = require_fit(workspace, progress, options.become_password)
        result = run(copy, "plan", "cluster.yml", replace(options, check=True, lost=lost), lock, record=record)
    failed = {name: host for name, host in result.summary.failed.items() if not host.unreachable}
    if failed:
        problems = [
            Problem(f"{error.message}: {error.cause}" if error.cause else error.message, key=name, code=error.code)
            for name, host in failed.items()
            if (error := host.error)
        ]
        raise ProblemsError("it cannot be told what would happen", problems)
    return Plan(workspace.cluster.name, _digest(workspace.file), result.summary)


def save(found: Plan, file: Path) -> None:
    """Writes a plan for ``up --plan``."""
    file.write_text(json.dumps(found.as_dict(), indent=2, sort_keys=True) + "\n")


def require_unchanged(found: Plan, file: Path) -> None:
    """Compares what would happen now with a plan that was written before.

    Args:
        found: what would happen now.
        file: the plan.

    Raises:
        KubikkError: the file is no plan, or of another cluster.
        ProblemsError: something else would happen than was planned.
    """
    try:
        planned = json.loads(file.read_text())
        same_format = planned["format"] == FORMAT
        cluster, hosts = planned["cluster"], planned["hosts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KubikkError(f"{file} is not a plan", remedy="write one with `kubikk plan -o FILE`") from error
    if not same_format:
        raise KubikkError(f"{file} was written by another version of Kubikk", remedy="plan again")
    if cluster != found.cluster:
        raise KubikkError(f"{file} is a plan for cluster {cluster}, not for {found.cluster}")
    problems = list(_differences(hosts, found.as_dict()["hosts"]))
    if problems:
        raise ProblemsError("something else would happen now than was planned; nothing was touched", problems)


def _differences(planned: dict[str, Any], now: dict[str, Any]) -> Iterator[Problem]:
    for host in sorted(planned.keys() | now.keys()):
        for kind, verb in (("changed", "change"), ("restarted", "restart")):
            before, after = (set(side.get(host, {}).get(kind, [])) for side in (planned, now))
            for item in sorted(after - before):
                yield Problem(f"would {verb} {item}, which the plan does not say", key=host)
            for item in sorted(before - after):
                yield Problem(f"would not {verb} {item}, which the plan says", key=host)
        then, today = (side.get(host, {}).get("diffs", {}) for side in (planned, now))
        for item in sorted(then.keys() & today.keys()):
            if then[item] != today[item]:
                yield Problem(f"would change {item} in another way than the plan shows", key=host)


@contextlib.contextmanager
def _copy(workspace: Workspace) -> Iterator[Workspace]:
    """A copy of what a run reads, beside the original and closed to others: it holds keys."""
    directory = workspace.directory
    for left in directory.glob(".plan-*"):  # by a run that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".plan-", dir=directory) as name:
        target = Path(name)
        for entry in directory.iterdir():
            # Neither is needed, and snapshots are large.
            if entry.name in ("runs", "snapshots") or entry.name.startswith("."):
                continue
            if entry.is_dir():
                shutil.copytree(entry, target / entry.name, symlinks=True)
            else:
                shutil.copy2(entry, target / entry.name)
        yield replace(workspace, directory=target)


def _diff_digest(diff: dict[str, Any]) -> str:
    return sha256(json.dumps([diff.get("before"), diff.get("after")], sort_keys=True).encode()).hexdigest()


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
