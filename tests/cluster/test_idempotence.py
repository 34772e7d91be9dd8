"""A converged cluster is not touched."""

from __future__ import annotations

import json

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, events, kubikk, runs
from tests.cluster.support.units import invocations


@pytest.mark.parametrize("noted", [True, False], ids=["seen at a look", "found out by roles"])
def test_a_second_up_changes_nothing(cluster: Description, access: Access, noted: bool) -> None:
    # Whatever other tests left behind is seen to, and noted.
    assert kubikk("up", "-f", str(cluster.cluster_file)).returncode == 0
    if not noted:
        (cluster.directory / "states.json").unlink()
    before = invocations(cluster, access)
    result = kubikk("up", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    last = runs(cluster.directory)[-1]
    assert (last / "summary.json").exists(), f"{last} is not finished"
    assert noted != any(event["event"] == "stats" for event in events(last)), "Ansible ran, or did not"
    assert changes(last) == []
    assert json.loads((last / "summary.json").read_text())["changes"] == 0
    assert invocations(cluster, access) == before


def test_a_second_inventory_is_the_same(cluster: Description) -> None:
    generated = [cluster.directory / "hosts.yml", *cluster.directory.glob("*_vars/*"), *cluster.pki.rglob("*")]
    files = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in generated if path.is_file()}
    assert len(files) > 20
    result = kubikk("inventory", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == files
