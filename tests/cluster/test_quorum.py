"""More than half of etcd's members hang: `up` says so, touches nothing, and all is well when they go on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kubikk.error_codes import ETCD_NO_QUORUM
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, runs
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


@pytest.fixture
def hanging(cluster: Description, access: Access) -> Iterator[str]:
    """All members but the first are stopped in their tracks; gives the first one's host."""
    first, *others = [host.name for host in cluster.etcd_hosts]
    if len(others) < 2:
        pytest.fail(f"{cluster.name} has {len(others) + 1} members: no majority of them can hang", pytrace=False)
    for name in others:
        access.output(name, "systemctl kill --signal=STOP etcd")
    yield first
    for name in others:
        access.output(name, "systemctl kill --signal=CONT etcd")


def test_quorum_is_lost(hanging: str, cluster: Description) -> None:
    result = kubikk("up", "-f", str(cluster.cluster_file), "--skip-preflight", "--wait", "15")
    said = " ".join(result.stdout.split())
    assert result.returncode == 1, result.stdout
    assert f"error: {hanging}: etcd has no quorum ({ETCD_NO_QUORUM.id})" in said, result.stdout
    assert "next: Bring the other members back" in said
    assert "last lines of its journal" in said
    (listed,) = json.loads(kubikk("runs", "--json", "-f", str(cluster.cluster_file)).stdout)[-1:]
    assert (hanging, ETCD_NO_QUORUM.id) in [(error["host"], error["code"]) for error in listed["errors"]]
    assert changes(runs(cluster.directory)[-1]) == []


def test_it_comes_back(cluster: Description, api: Api) -> None:
    until(lambda: len(api.items("/api/v1/nodes")) == len(cluster.nodes), "the API answers", within=120)
    status = until(
        lambda: kubikk("status", "-f", str(cluster.cluster_file)).returncode == 0, "all is well", within=120, every=5
    )
    assert status
    result = kubikk("up", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
