"""A node whose runtime is to go: no pod comes, the runtime is gone with what it had, the rest of the host stays."""

from __future__ import annotations

from collections.abc import Callable

from shared.hosts import unit
from testinfra.host import Host
from tests.cluster.support.api import Api


def test_no_pod_comes(api: Api) -> None:
    assert api.get("/api/v1/nodes/cp1")["spec"]["unschedulable"] is True


def test_the_runtime_is_gone(host: Host) -> None:
    assert unit(host, "containerd").enabled == ""
    assert not host.file("/opt/kubikk/containerd").exists
    assert not host.file("/etc/containerd").exists
    # A mount point stays; what was in it does not.
    assert host.check_output("ls -A /var/lib/containerd") == ""


def test_kubelet_waits_for_the_next_one(host: Host) -> None:
    found = unit(host, "kubelet")
    assert (found.active, found.enabled) == ("inactive", "enabled")


def test_the_control_plane_stays(host: Host) -> None:
    assert {name: unit(host, name).active for name in ("etcd", "kube-apiserver")} == {
        "etcd": "active",
        "kube-apiserver": "active",
    }


def test_an_unknown_runtime_is_refused(refused: Callable[..., str]) -> None:
    output = refused(runtime_change_wanted="rkt")
    assert "value of runtime_change_wanted must be one of: containerd, cri-o, docker, got: rkt" in output


def test_once_more_does_no_harm(host: Host, api: Api, converge_with: Callable[..., tuple[int, str]]) -> None:
    """An interrupted change is done again from its beginning."""
    before = unit(host, "etcd").invocation
    code, output = converge_with()
    assert code == 0, output
    assert unit(host, "etcd").invocation == before
    assert api.get("/api/v1/nodes/cp1")["spec"]["unschedulable"] is True
