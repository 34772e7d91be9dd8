"""Clusters other than the lab's usual one: each is installed on hosts of its own, and does its work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from kubikk.paths import content_root
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, kubikk, runs

pytestmark = [pytest.mark.full, pytest.mark.timeout(2400)]

Change = Callable[[OwnLab, dict[str, Any]], None]


def _older_kubernetes(own: OwnLab, content: dict[str, Any]) -> None:
    content["kubernetes"] = {"version": "v1.36.3"}


def _host_gateways(own: OwnLab, content: dict[str, Any]) -> None:
    content["network"] = {"backend": "host-gw"}


def _virtual_address(own: OwnLab, content: dict[str, Any]) -> None:
    network = ip_network(f"{own.lab.hosts()[0].address}/24", strict=False)
    content["api"] = {"load_balancer": "keepalived", "endpoint": str(network[201])}


def _dedicated_etcd(own: OwnLab, content: dict[str, Any]) -> None:
    content["hosts"][0]["roles"] = ["etcd"]


def _single_host(own: OwnLab, content: dict[str, Any]) -> None:
    content["hosts"][0]["roles"] = ["control-plane", "worker"]
    content["hosts"] = content["hosts"][:1]


@pytest.mark.parametrize(
    ("change", "control_planes", "workers"),
    [
        pytest.param(_older_kubernetes, 1, 1, id="kubernetes-1.36"),
        pytest.param(_host_gateways, 1, 2, id="host-gw"),
        pytest.param(_virtual_address, 3, 1, id="keepalived"),
        pytest.param(_dedicated_etcd, 2, 1, id="dedicated-etcd"),
        pytest.param(_single_host, 1, 0, id="one-host"),
    ],
)
def test_variant(change: Change, control_planes: int, workers: int, lab_name: str, tmp_path: Path) -> None:
    with own_lab(f"{lab_name}-variant", tmp_path, control_planes=control_planes, workers=workers) as own:
        own.edit(lambda content: change(own, content))
        first = kubikk("up", "-f", str(own.file), timeout=2000)
        assert first.returncode == 0, first.stdout
        second = kubikk("up", "-f", str(own.file))
        assert second.returncode == 0, second.stdout
        assert changes(runs(own.directory)[-1]) == []
        status = kubikk("status", "-f", str(own.file))
        assert status.returncode == 0, status.stdout
        # The functional tests, against this cluster.
        subjects = ("nodes", "pods", "services", "dns", "kubelet_api", "endpoint", "etcd")
        files = [str(Path(__file__).with_name(f"test_{subject}.py")) for subject in subjects]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--cluster-dir={own.directory}"]
        tests = subprocess.run([*command, *files], cwd=content_root(), capture_output=True, text=True, check=False)
        assert tests.returncode == 0, tests.stdout


def test_what_is_named_no_longer_is_taken_off(lab_name: str, tmp_path: Path) -> None:
    with own_lab(f"{lab_name}-variant", tmp_path, control_planes=1, workers=1) as own:
        assert kubikk("up", "-f", str(own.file), timeout=2000).returncode == 0
        own.run("w1", "systemctl is-active haproxy flanneld")
        pods = own.run("w1", "crictl pods --quiet | sort")
        assert pods

        def choose_others(content: dict[str, Any]) -> None:
            content["api"] = {"load_balancer": "external", "endpoint": content["hosts"][0]["address"]}
            content["network"] = {"plugin": "none"}

        own.edit(choose_others)
        announced = kubikk("plan", "-f", str(own.file))
        assert announced.returncode == 2, announced.stdout
        for unit in ("flanneld", "haproxy"):
            assert f"removed unit {unit}" in announced.stdout
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        for unit in ("flanneld", "haproxy"):
            own.run("w1", f"! systemctl is-active {unit}")
        left = own.run("w1", "iptables-save; ip -o link; ls /etc/cni/net.d /etc/haproxy /etc/kubernetes")
        for part in ("FLANNEL-", "flannel", "kubikk"):
            assert part not in left
        # Nobody else lost anything.
        assert "KUBE-SERVICES" in left
        assert own.run("w1", "crictl pods --quiet | sort") == pods
        again = kubikk("up", "-f", str(own.file))
        assert again.returncode == 0, again.stdout
        assert changes(runs(own.directory)[-1]) == []


# A network of one's own: on a single host, a bridge is all it takes.
_BRIDGE = """
{"cniVersion": "1.0.0", "name": "own", "plugins": [{"type": "bridge", "bridge": "own0", "isDefaultGateway": true,
 "ipMasq": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.7.0/24"}]]}}]}
"""


def test_network_of_ones_own(lab_name: str, tmp_path: Path) -> None:
    with own_lab(f"{lab_name}-variant", tmp_path, control_planes=1, workers=0) as own:

        def bring_your_own(content: dict[str, Any]) -> None:
            _single_host(own, content)
            content["network"] = {"plugin": "none"}

        own.edit(bring_your_own)
        result = kubikk("up", "-f", str(own.file), timeout=2000)
        assert result.returncode == 0, result.stdout
        assert own.run("cp1", "systemctl list-unit-files flanneld.service --no-legend || true") == ""
        without = kubikk("status", "-f", str(own.file))
        assert without.returncode == 1, without.stdout
        assert "not ready: cp1" in without.stdout
        own.run("cp1", f"mkdir -p /etc/cni/net.d && printf %s '{_BRIDGE}' > /etc/cni/net.d/10-own.conflist")
        own.run(
            "cp1", "kubectl --kubeconfig /etc/kubernetes/admin.conf wait --for=condition=Ready node/cp1 --timeout=90s"
        )
        with_it = kubikk("status", "-f", str(own.file))
        assert with_it.returncode == 0, with_it.stdout
        own.run(
            "cp1",
            "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system"
            " rollout status deployment/coredns --timeout=120s",
        )
