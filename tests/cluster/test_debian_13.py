"""A cluster of Debian 13 hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubikk.operations.workspace import open_workspace
from tests.cluster.support.api import administrator
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    directory = tmp_path_factory.mktemp("trixie")
    with own_lab(f"{lab_name}-trixie", directory, control_planes=1, workers=1, release="trixie") as own:
        yield own


def test_hosts_run_debian_13(own: OwnLab) -> None:
    for host in own.lab.hosts():
        assert 'VERSION_ID="13"' in own.run(host.name, "cat /etc/os-release")
        assert own.run(host.name, "systemctl is-system-running --wait || true").strip() == "running"


def test_a_cluster(own: OwnLab) -> None:
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    workspace = open_workspace(own.file)
    address = workspace.cluster.control_plane_hosts[0].address
    api = administrator(f"https://{address}:6443", workspace.pki)
    nodes = api.items("/api/v1/nodes")
    assert {node["metadata"]["name"] for node in nodes} == {"cp1", "w1"}
    assert all("trixie" in node["status"]["nodeInfo"]["osImage"] for node in nodes)
    assert api.items("/api/v1/namespaces/kube-system/pods", fieldSelector="status.phase=Running")
    again = kubikk("plan", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
