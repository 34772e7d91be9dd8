"""What `plan` announces is what `up` then does, in both directions."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.edits import random_edits
from tests.cluster.support.runs import kubikk, runs
from tests.cluster.support.units import invocations

pytestmark = pytest.mark.timeout(900)

Editor = Callable[[Callable[[dict[str, Any]], None]], None]


@pytest.fixture
def edit(cluster: Description) -> Iterator[Editor]:
    """Changes the cluster file; afterwards the cluster is as it was."""
    original = cluster.cluster_file.read_text()

    def change(apply: Callable[[dict[str, Any]], None]) -> None:
        content = yaml.safe_load(cluster.cluster_file.read_text())
        apply(content)
        cluster.cluster_file.write_text(yaml.safe_dump(content, sort_keys=False))

    yield change
    cluster.cluster_file.write_text(original)
    restored = kubikk("up", "-f", str(cluster.cluster_file))
    assert restored.returncode == 0, restored.stdout


def _announced(plan: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    return {name: (sorted(host["changed"]), sorted(host["restarted"])) for name, host in plan["hosts"].items()}


def _done(run: Path) -> dict[str, tuple[list[str], list[str]]]:
    hosts = json.loads((run / "summary.json").read_text())["hosts"]
    found = {name: (sorted(host["changed"]), sorted(host["restarted"])) for name, host in hosts.items()}
    return {name: what for name, what in found.items() if what != ([], [])}


def _generated(cluster: Description) -> dict[Path, bytes]:
    paths = [cluster.directory / "hosts.yml", *cluster.directory.glob("*_vars/*"), *cluster.pki.rglob("*")]
    return {path: path.read_bytes() for path in paths if path.is_file()}


def test_nothing_to_do(cluster: Description) -> None:
    result = kubikk("plan", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    assert "nothing to do" in result.stdout


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.full), 3, pytest.param(4, marks=pytest.mark.full)])
def test_random_edits(cluster: Description, access: Access, edit: Editor, tmp_path: Path, count: int) -> None:
    seed = secrets.randbelow(10**6)
    edits = random_edits(random.Random(seed), count)  # noqa: S311 (a test's choice)
    print(f"seed {seed}: {'; '.join(each.title for each in edits)}")
    for each in edits:
        edit(each.apply)
    before, untouched = invocations(cluster, access), _generated(cluster)
    written = tmp_path / "plan"
    planned = kubikk("plan", "-f", str(cluster.cluster_file), "-o", str(written))
    assert planned.returncode == 2, planned.stdout
    # Neither hosts nor what belongs to the cluster on this machine were touched.
    assert invocations(cluster, access) == before
    assert _generated(cluster) == untouched
    announced = _announced(json.loads(written.read_text()))
    assert announced
    applied = kubikk("up", "-f", str(cluster.cluster_file), "--plan", str(written))
    assert applied.returncode == 0, applied.stdout
    assert _done(runs(cluster.directory)[-1]) == announced


def test_a_plan_that_is_out_of_date_is_refused(
    cluster: Description, access: Access, edit: Editor, tmp_path: Path
) -> None:
    written = tmp_path / "plan"
    edit(lambda content: content["hosts"][-1].update(labels={"test.kubikk.io/plan": "old"}))
    planned = kubikk("plan", "-f", str(cluster.cluster_file), "-o", str(written))
    assert planned.returncode == 2, planned.stdout
    edit(lambda content: content["hosts"][-1].update(labels={"test.kubikk.io/plan": "new"}))
    before = invocations(cluster, access)
    refused = kubikk("up", "-f", str(cluster.cluster_file), "--plan", str(written))
    assert refused.returncode == 1, refused.stdout
    assert "in another way than the plan shows" in refused.stdout
    assert invocations(cluster, access) == before
