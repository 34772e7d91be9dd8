"""A node that is to get another version: no pod comes, and everything on it goes on as it was."""

from __future__ import annotations

from collections.abc import Callable

from shared.hosts import unit
from testinfra.host import Host
from tests.cluster.support.api import Api


def test_no_pod_comes(api: Api) -> None:
    node = api.get("/api/v1/nodes/cp1")
    assert node["spec"]["unschedulable"] is True
    assert "kubikk.io/drained" in node["metadata"]["annotations"]


def test_the_host_goes_on(host: Host) -> None:
    for name in ("etcd", "kube-apiserver", "containerd", "kubelet"):
        assert unit(host, name).active == "active"


def test_a_timeout_that_is_none_is_refused(refused: Callable[..., str]) -> None:
    output = refused(upgrade_drain_timeout="soon")
    assert "upgrade_drain_timeout" in output


def test_once_more_does_no_harm(api: Api, converge_with: Callable[..., tuple[int, str]]) -> None:
    code, output = converge_with()
    assert code == 0, output
    assert api.get("/api/v1/nodes/cp1")["spec"]["unschedulable"] is True
