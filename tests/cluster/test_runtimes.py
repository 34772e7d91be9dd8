"""containerd, CRI-O and Docker in one cluster: the same tests pass on each, and a host changes from one to another."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kubikk.error_codes import NODE_NOT_DRAINED
from kubikk.paths import content_root
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.images import import_agnhost
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import PROGRAMS, changes, events, kubikk, latest, runs
from tests.cluster.support.waiting import until

pytestmark = pytest.mark.timeout(900)

_RUNTIMES = {"w1": "containerd", "w2": "cri-o", "w3": "docker"}
_PROGRAMS = {"containerd": {"containerd", "runc"}, "cri-o": {"cri-o", "runc"}, "docker": {"cri-dockerd"}}
_LABELS = {"app": "guarded"}
_REPLICAS = 2


def _choose(runtimes: dict[str, str], content: dict[str, Any]) -> None:
    for host in content["hosts"]:
        if host["name"] in runtimes:
            host["runtime"] = runtimes[host["name"]]


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A cluster with a worker of each runtime."""
    with own_lab(f"{lab_name}-mixed", tmp_path_factory.mktemp("mixed"), control_planes=1, workers=3) as own:
        own.edit(lambda content: _choose(_RUNTIMES, content))
        result = kubikk("up", "-f", str(own.file), timeout=2400)  # CRI-O and cri-dockerd may have to be compiled
        assert result.returncode == 0, result.stdout
        yield own


@pytest.fixture(scope="module")
def client(own_cluster: Description) -> Kubectl:
    """kubectl for it."""
    return Kubectl(own_cluster.program("kubectl"), own_cluster.kubeconfig)


@pytest.fixture(scope="module")
def guarded(own_cluster: Description, client: Kubectl) -> None:
    """A Deployment of which a PodDisruptionBudget lets one pod at a time go."""
    # An image that every host has, whatever its runtime.
    container = {"name": "main", "image": own_cluster.variables["kubikk_artifacts"]["image-pause"]["ref"]}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    meta = {"name": "guarded", "namespace": "default"}
    selector = {"matchLabels": _LABELS}
    template = {"metadata": {"labels": _LABELS}, "spec": spec}
    deployment = {"replicas": _REPLICAS, "selector": selector, "template": template}
    budget = {"minAvailable": _REPLICAS - 1, "selector": selector}
    client.apply(
        [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
            {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": budget},
        ]
    )
    client.run("rollout", "status", "deployment/guarded", "--timeout=120s", timeout=130)


@contextmanager
def _watched(own_api: Api) -> Iterator[list[tuple[list[str], int]]]:
    """Meanwhile looks twice a second; the list grows by the names of cordoned nodes and the number of guarded pods."""
    seen: list[tuple[list[str], int]] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            nodes = own_api.items("/api/v1/nodes")
            cordoned = [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")]
            status = own_api.get("/apis/apps/v1/namespaces/default/deployments/guarded")["status"]
            seen.append((cordoned, int(status.get("availableReplicas", 0))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _reported(own_api: Api) -> dict[str, str]:
    """The runtime that each node reports, of those that take pods."""
    nodes = own_api.items("/api/v1/nodes")
    return {
        node["metadata"]["name"]: node["status"]["nodeInfo"]["containerRuntimeVersion"].split("://")[0]
        for node in nodes
        if not node["spec"].get("unschedulable")
    }


def _assert_running(own: OwnLab, own_api: Api, runtimes: dict[str, str]) -> None:
    """Every node has its runtime and takes pods; every host has the programs of its runtime only."""
    assert _reported(own_api) == {"cp1": "containerd", **runtimes}
    for host, runtime in runtimes.items():
        programs = set(own.run(host, "ls /opt/kubikk").split())
        assert programs & set().union(*_PROGRAMS.values()) - {"runc"} == _PROGRAMS[runtime] - {"runc"}


def _assert_converged(own: OwnLab) -> None:
    """Another `up` finds nothing to do."""
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []


@pytest.mark.timeout(3000)  # with the fixture, and what that compiles
def test_the_same_tests_pass_on_each(own: OwnLab, own_api: Api) -> None:
    subjects = ("nodes", "pods", "services", "kubelet_api", "limits", "volumes")
    files = [str(Path(__file__).with_name(f"test_{subject}.py")) for subject in subjects]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--cluster-dir={own.directory}"]
    tests = subprocess.run([*command, *files], cwd=content_root(), capture_output=True, text=True, check=False)
    assert tests.returncode == 0, tests.stdout
    _assert_running(own, own_api, _RUNTIMES)
    _assert_converged(own)


def test_status_knows_them(own: OwnLab) -> None:
    result = kubikk("status", "--json", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    content = json.loads(result.stdout)
    found = {host["name"]: {each["name"]: each for each in host["components"]} for host in content["hosts"]}
    for host, names in (("w1", ["containerd"]), ("w2", ["cri-o"]), ("w3", ["docker", "cri-dockerd"])):
        others = {"containerd", "cri-o", "docker", "cri-dockerd"} - set(names)
        assert not others & found[host].keys()
        for name in names:
            assert found[host][name]["healthy"]
            assert found[host][name]["version"]


def test_privileged_pods(own_cluster: Description, own_api: Api, client: Kubectl, tmp_path: Path) -> None:
    """They get the host's network, and may do what an ordinary pod may not."""
    access = Access(own_cluster, tmp_path)
    image = import_agnhost(own_cluster, access)
    access.forget(own_cluster.hosts)
    for host in own_cluster.node_of_each_runtime:
        container = {
            "name": "main",
            "image": image,
            "imagePullPolicy": "Never",
            "args": ["pause"],
            "securityContext": {"privileged": True},
        }
        spec = {
            "nodeName": host.name,
            "hostNetwork": True,
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
        }
        name = f"privileged-{host.name}"
        pods = "/api/v1/namespaces/default/pods"
        own_api.post(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
        client.run("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
        assert "cni0" in client.execute("default", name, "ls", "/sys/class/net").split()
        assert client.execute("default", name, "sh", "-c", "mkdir /m && mount -t tmpfs none /m && echo mounted")
        own_api.delete(f"{pods}/{name}")


@pytest.mark.usefixtures("guarded")
def test_a_budget_that_holds_pods_back_is_respected(own: OwnLab, own_api: Api) -> None:
    path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/guarded"
    assert own_api.patch_status(path, {"spec": {"minAvailable": _REPLICAS}}) == 200
    pods = own_api.items("/api/v1/namespaces/default/pods", labelSelector="app=guarded")
    host = pods[0]["spec"]["nodeName"]
    original = own.file.read_text()
    own.edit(lambda content: content.update(kubernetes={"drain_timeout": 8}))
    own.edit(lambda content: _choose({host: "docker" if _RUNTIMES[host] != "docker" else "cri-o"}, content))
    result = kubikk("up", "-f", str(own.file))
    own.file.write_text(original)
    assert result.returncode == 1, result.stdout
    said = " ".join(result.stdout.split())
    assert f"the pods of node {host} could not be moved, and it stays as it is ({NODE_NOT_DRAINED.id})" in said
    assert "disruption budget" in result.stdout
    # Nothing happened: its pods are where they were, and it takes new ones.
    assert _reported(own_api) == {"cp1": "containerd", **_RUNTIMES}
    left = own_api.items("/api/v1/namespaces/default/pods", labelSelector="app=guarded")
    assert {pod["metadata"]["uid"] for pod in left} == {pod["metadata"]["uid"] for pod in pods}
    assert own_api.patch_status(path, {"spec": {"minAvailable": _REPLICAS - 1}}) == 200


@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("guarded")
def test_hosts_change_one_at_a_time(own: OwnLab, own_api: Api, tmp_path: Path) -> None:
    """Two in one run, as the plan says; pods go elsewhere within their budget."""
    changed = {"w1": "docker", "w2": "cri-o", "w3": "containerd"}
    own.edit(lambda content: _choose(changed, content))
    written = tmp_path / "plan"
    planned = kubikk("plan", "-f", str(own.file), "-o", str(written))
    assert planned.returncode == 2, planned.stdout
    assert "drain w1: its pods move to other nodes, and its container runtime changes" in planned.stdout
    hosts = json.loads(written.read_text())["hosts"]
    assert {name: f"drain node {name}" in host["changed"] for name, host in hosts.items()} == {"w1": True, "w3": True}
    with _watched(own_api) as seen:
        result = kubikk("up", "-f", str(own.file), timeout=1200)
    assert result.returncode == 0, result.stdout
    done = json.loads((runs(own.directory)[-1] / "summary.json").read_text())["hosts"]
    for name, host in hosts.items():
        assert set(done[name]["changed"]) ^ set(host["changed"]) == set()
        assert set(done[name]["restarted"]) == set(host["restarted"])
    assert {tuple(cordoned) for cordoned, _ in seen} == {(), ("w1",), ("w3",)}
    assert min(available for _, available in seen) >= _REPLICAS - 1
    _assert_running(own, own_api, changed)


def _killed_in(own: OwnLab, task: str) -> None:
    """Starts `kubikk up` and ends it with SIGKILL a moment after it began a task."""
    before = latest(own.directory)

    def begun() -> bool:
        present = latest(own.directory)
        return (
            present is not None
            and present != before
            and any(
                each["event"] == "task_start" and each["task"] == task and each["host"] == "w3"
                for each in events(present)
            )
        )

    command = [str(PROGRAMS / "kubikk"), "up", "-f", str(own.file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        until(begun, f"the task {task!r}", within=400, every=0.1)
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)


@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("guarded")
def test_a_change_that_is_interrupted_goes_on(own: OwnLab, own_api: Api) -> None:
    """Killed before the old runtime is gone, and again before the node takes pods; then `up` completes it."""
    changed = {"w1": "docker", "w2": "cri-o", "w3": "cri-o"}
    own.edit(lambda content: _choose(changed, content))
    _killed_in(own, "Take the other runtime off the host")
    _killed_in(own, "Run kubelet")
    assert "w3" not in _reported(own_api)
    result = kubikk("up", "-f", str(own.file), timeout=1200)
    assert result.returncode == 0, result.stdout
    _assert_running(own, own_api, changed)
    _assert_converged(own)


def test_reset_takes_them_off(own: OwnLab, subtests: pytest.Subtests) -> None:
    result = kubikk("reset", "--yes", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    for host in _RUNTIMES:
        with subtests.test(host=host):
            assert (
                own.run(host, "systemctl is-active containerd crio docker docker.socket cri-docker; true").split()
                == ["inactive"] * 5
            )
            assert own.run(host, "pgrep -a 'conmon|containerd|dockerd|pause'; true") == ""
            assert (
                own.run(host, "ls /var/lib/containerd /var/lib/containers /var/lib/docker | grep -v :; true").split()
                == []
            )
            assert own.run(host, "grep -c -e ' /var/lib/containers/' -e /run/netns /proc/self/mountinfo; true") == "0\n"
            assert own.run(host, "ls /opt/kubikk /etc/crio /etc/crictl.yaml 2>/dev/null; true") == ""
