"""Hosts that filter packets with ufw and firewalld: opened for the cluster, kept so, and closed again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from kubikk.operations.workspace import open_workspace
from tests.cluster.support.api import administrator
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

_INSTALL = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install"
_UFW = f"{_INSTALL} ufw >/dev/null && ufw allow 22/tcp && ufw --force enable"
_FIREWALLD = f"{_INSTALL} firewalld >/dev/null && systemctl enable --now firewalld && firewall-cmd --state"


def _firewall(mode: str) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["network"] = {"firewall": mode}

    return change


def _reaches(own: OwnLab, host: str, port: int) -> bool:
    """Whether w1 can connect to a port of cp1."""
    address = next(each.address for each in own.lab.hosts() if each.name == host)
    command = own.lab.ssh_command("w1", f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port}'")
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """cp1 with ufw, w1 with firewalld, and a cluster on them."""
    with own_lab(f"{lab_name}-firewall", tmp_path_factory.mktemp("firewall"), control_planes=1, workers=1) as own:
        own.run("cp1", _UFW)
        own.run("w1", _FIREWALLD)
        own.edit(_firewall("open"))
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        yield own


def test_pods_reach_kubelets_and_the_api_reaches_pods(own: OwnLab) -> None:
    """metrics-server is asked by the API server over the pod network, and asks the kubelets of both hosts."""
    workspace = open_workspace(own.file)
    api = administrator(f"https://{workspace.cluster.control_plane_hosts[0].address}:6443", workspace.pki)
    path = "/apis/metrics.k8s.io/v1beta1/nodes"

    def measured() -> bool:
        return api.status(path) == 200 and {row["metadata"]["name"] for row in api.items(path)} == {"cp1", "w1"}

    until(measured, "metrics of both nodes", within=180)


def test_hosts_reach_each_other_and_strangers_only_the_api(own: OwnLab) -> None:
    address = next(each.address for each in own.lab.hosts() if each.name == "cp1")
    assert _reaches(own, "cp1", 2379)
    for port, open_to_all in ((6443, True), (2379, False), (10250, False)):
        command = ["timeout", "5", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"]
        assert (subprocess.run(command, check=False, capture_output=True).returncode == 0) is open_to_all, port


def test_again_changes_nothing(own: OwnLab) -> None:
    result = kubikk("plan", "-f", str(own.file))
    assert result.returncode == 0, result.stdout


def test_closed_again(own: OwnLab) -> None:
    before = own.run("cp1", "ufw show added").splitlines()
    assert any("kubikk" in line for line in before)
    own.edit(_firewall("leave"))
    result = kubikk("up", "-f", str(own.file), "--skip-preflight")
    # The worker cannot reach the API any more, whatever else is right; what counts is what the firewalls were told.
    assert "Traceback" not in result.stdout
    assert own.run("cp1", "ufw show added").splitlines() == [line for line in before if "kubikk" not in line]
    assert own.run("w1", "ls /etc/firewalld/zones /etc/firewalld/policies").find("kubikk") == -1
    assert own.run("w1", "firewall-cmd --state").strip() == "running"
    assert not _reaches(own, "cp1", 2379)
