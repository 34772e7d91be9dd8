"""A pod gets no more than its limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.waiting import until

_MEBIBYTES = 32
_MEMORY = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
_CPU = (
    "cat /sys/fs/cgroup/cpu.max 2>/dev/null || "
    "echo $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us) $(cat /sys/fs/cgroup/cpu/cpu.cfs_period_us)"
)


def _limited(name: str, node: str, image: str, command: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", command],
        "resources": {"limits": {"memory": f"{_MEBIBYTES}Mi", "cpu": "250m"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        },
    }


@pytest.fixture
def path(namespace: str) -> str:
    """Of the test's pods."""
    return f"/api/v1/namespaces/{namespace}/pods"


def test_limits_are_the_cgroup_s(
    *,
    cluster: Description,
    api: Api,
    kubectl: Kubectl,
    path: str,
    namespace: str,
    image: str,
    subtests: pytest.Subtests,
) -> None:
    for host in cluster.node_of_each_runtime:
        with subtests.test(runtime=host.runtime):
            pod = f"limited-{host.name}"
            api.post(path, _limited(pod, host.name, image, "sleep 600"))
            kubectl.run("wait", "--namespace", namespace, "--for=condition=Ready", f"pod/{pod}", "--timeout=60s")
            assert kubectl.execute(namespace, pod, "sh", "-c", _MEMORY).strip() == str(_MEBIBYTES << 20)
            quota, period = kubectl.execute(namespace, pod, "sh", "-c", _CPU).split()
            assert int(quota) / int(period) == 0.25
            api.delete(f"{path}/{pod}")


def test_who_takes_more_memory_is_ended(
    cluster: Description, api: Api, path: str, image: str, subtests: pytest.Subtests
) -> None:
    for host in cluster.node_of_each_runtime:
        with subtests.test(runtime=host.runtime):
            pod = f"greedy-{host.name}"
            # tail keeps the last lines in memory, and zeros have no end of line.
            api.post(path, _limited(pod, host.name, image, "exec tail /dev/zero"))

            def end(pod: str = pod) -> dict[str, Any] | None:
                statuses = api.get(f"{path}/{pod}")["status"].get("containerStatuses", [])
                terminated: dict[str, Any] | None = statuses[0]["state"].get("terminated") if statuses else None
                return terminated

            terminated = until(end, "the pod ends", within=90)
            assert terminated is not None
            assert (terminated["reason"], terminated["exitCode"]) == ("OOMKilled", 137)
            api.delete(f"{path}/{pod}")
