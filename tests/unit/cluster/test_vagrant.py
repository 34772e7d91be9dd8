"""The cluster file and the machines of vagrant/."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from kubikk.cluster import Cluster, load
from kubikk.cluster.hosts import ROLES
from kubikk.hosts.checks.resources import CONTROL_PLANE_MEMORY, MIB, OTHER_MEMORY
from kubikk.paths import content_root

HERE = content_root() / "vagrant"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    shutil.copy(HERE / "cluster.yml", tmp_path)
    own = tmp_path / ".vagrant" / "kubikk"
    own.mkdir(parents=True)
    for name in ("id_ed25519", "known_hosts"):
        (own / name).touch()
    return load(tmp_path / "cluster.yml")


def test_the_cluster_file(cluster: Cluster) -> None:
    assert [host.name for host in cluster.hosts] == ["cp1", "w1", "w2"]
    # All that VirtualBox allows without a change of its configuration.
    assert all(host.address.startswith("192.168.56.") for host in cluster.hosts)
    assert all(cluster.connection(host).become for host in cluster.hosts)


def test_machines_are_large_enough() -> None:
    """Preflight has nothing to warn of."""
    sizes = yaml.safe_load((HERE / "machines.yml").read_text())["sizes"]
    assert set(sizes) == set(ROLES)
    for role, size in sizes.items():
        comfortable = (CONTROL_PLANE_MEMORY if role == "control-plane" else OTHER_MEMORY)[1]
        assert size["memory"] * MIB * 0.93 > comfortable, role  # the kernel keeps some for itself
        assert size["cpus"] >= 1


def test_boxes() -> None:
    machines = yaml.safe_load((HERE / "machines.yml").read_text())
    assert machines["box"] in machines["boxes"]
    assert {"debian-12", "debian-13", "ubuntu-24.04", "rocky-9", "alma-9"} == set(machines["boxes"])
    assert all(set(row) == {"libvirt", "others"} for row in machines["boxes"].values())
