"""A scheduler beside an API server: how it runs, who gets in, that pods get nodes, and bad settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_DIRECTORY = "/etc/kubernetes/kube-scheduler"
_SERVER = "https://127.0.0.1:10259"


def test_it_runs(host: Host) -> None:
    found = unit(host, "kube-scheduler")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "kube-scheduler")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["kube-scheduler"]["version"]
    assert host.check_output("kube-scheduler --version") == f"Kubernetes v{version.removeprefix('v')}"


def test_permissions(host: Host) -> None:
    expected = {
        _DIRECTORY: "750 kube-scheduler:kube-scheduler",
        f"{_DIRECTORY}/client.key": "600 kube-scheduler:kube-scheduler",
        f"{_DIRECTORY}/server.key": "600 kube-scheduler:kube-scheduler",
        f"{_DIRECTORY}/kubeconfig": "644 kube-scheduler:kube-scheduler",
    }
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, "kube-scheduler") == {"127.0.0.1:10259"}


def test_strangers_see_its_health_only(host: Host) -> None:
    verified = ("--cacert", f"{_DIRECTORY}/ca.crt")
    assert status(host, f"{_SERVER}/healthz", *verified) == 200
    assert status(host, f"{_SERVER}/metrics", *verified) in (401, 403)


def test_it_leads(api: Api) -> None:
    lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"
    holder = until(lambda: api.get(lease)["spec"].get("holderIdentity"), "somebody leads", within=30)
    assert holder.startswith("cp1_")


def test_a_pod_gets_a_node(api: Api) -> None:
    """Neither controllers nor a kubelet are here: what they would have made is made by hand."""
    namespace = "/api/v1/namespaces/molecule"

    def create(path: str, kind: str, name: str, **content: Any) -> None:
        api.post(path, {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **content})

    create("/api/v1/namespaces", "Namespace", "molecule")
    create("/api/v1/nodes", "Node", "node", status={"capacity": {"pods": "1"}, "allocatable": {"pods": "1"}})
    create(f"{namespace}/serviceaccounts", "ServiceAccount", "default")
    pod = {
        "automountServiceAccountToken": False,
        "containers": [{"name": "never", "image": "started"}],
        "tolerations": [{"operator": "Exists"}],
    }
    create(f"{namespace}/pods", "Pod", "pod", spec=pod)
    node = until(lambda: api.get(f"{namespace}/pods/pod")["spec"].get("nodeName"), "the pod has a node", within=30)
    assert node == "node"


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(kube_scheduler_flags={"no-such-flag": "x"}, kube_scheduler_start_timeout=4)
    assert "last lines of its journal" in output
    assert "unknown flag: --no-such-flag" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(kube_scheduler_start_timeout="soon")
    assert "kube_scheduler_start_timeout" in output
    assert "cannot be converted to an int" in output
