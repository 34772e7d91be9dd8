"""What runs cost, counted in module executions and bytes: seconds depend on the machine, these do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubikk.lab import names
from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, runs

pytestmark = pytest.mark.timeout(600)

# Once for the whole cluster: addons' manifests, nodes, waiting for the addons, and a look at what came of it.
_FOR_THE_CLUSTER = 4
# What a host is sent where nothing is shipped: modules, their arguments, preflight's programs.
_BYTES_PER_HOST = 600_000


def _sent(lab: str) -> int:
    return int(Path("/sys/class/net", names.bridge(lab), "statistics/tx_bytes").read_text())


def _executions(run: Path) -> dict[str, int]:
    hosts: dict[str, Any] = json.loads((run / "summary.json").read_text())["hosts"]
    return {name: host["executions"] for name, host in hosts.items()}


@pytest.fixture
def converged(cluster: Description) -> Iterator[None]:
    """Whatever earlier tests did to the cluster is caught up before, and what this one does is afterwards."""
    original = cluster.cluster_file.read_text()
    _up(cluster)
    yield
    if cluster.cluster_file.read_text() != original:
        cluster.cluster_file.write_text(original)
        _up(cluster)


def _up(cluster: Description) -> None:
    done = kubikk("up", "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("converged")
@pytest.mark.parametrize("verb", ["up", "plan"])
def test_nothing_to_do_is_one_look_at_each_host(cluster: Description, verb: str) -> None:
    before = _sent(cluster.name)
    done = kubikk(verb, "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout
    sent = _sent(cluster.name) - before
    counted = _executions(runs(cluster.directory)[-1])
    # The first control-plane host is asked of the cluster in the same look.
    assert counted == dict.fromkeys(cluster.hosts, 1)
    assert sent < _BYTES_PER_HOST * len(cluster.hosts), f"{sent} bytes for {len(cluster.hosts)} hosts"


@pytest.mark.usefixtures("converged")
def test_what_a_host_lost_costs_that_host_alone(cluster: Description, access: Access) -> None:
    host = cluster.workers[0].name
    # Of the last role: those that follow on one that changed something look again.
    access.output(host, "rm /etc/kubernetes/flannel/kubeconfig")
    done = kubikk("up", "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout
    run = runs(cluster.directory)[-1]
    assert {line.split(":")[0] for line in changes(run)} == {host}
    counted = _executions(run)
    # A look before, the component, a look afterwards.
    assert counted[host] == 3, counted
    others = {name: count for name, count in counted.items() if name != host}
    assert sum(others.values()) <= len(others) + _FOR_THE_CLUSTER, counted


@pytest.mark.usefixtures("converged")
def test_a_flag_of_the_control_plane_costs_workers_nothing(cluster: Description) -> None:
    content = yaml.safe_load(cluster.cluster_file.read_text())
    flags = content.setdefault("components", {}).setdefault("kube-controller-manager", {}).setdefault("flags", {})
    flags["concurrent-gc-syncs"] = 23
    cluster.cluster_file.write_text(yaml.safe_dump(content, sort_keys=False))
    done = kubikk("up", "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout
    counted = _executions(runs(cluster.directory)[-1])
    assert {counted[host.name] for host in cluster.workers} == {1}, counted
    # Roles after the one that changed look again: what was found before it need not hold any longer.
    assert all(counted[host.name] <= 11 + _FOR_THE_CLUSTER for host in cluster.control_planes), counted
