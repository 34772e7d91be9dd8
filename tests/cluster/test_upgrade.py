"""From one minor version to the next: refused where it must be, undone where it fails, and without an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description, describe
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import kubikk, latest
from tests.cluster.support.units import invocations
from tests.cluster.support.upgrading import guarded_service, running_versions
from tests.cluster.support.uptime import measured

pytestmark = [pytest.mark.full, pytest.mark.timeout(2400)]

_OLD, _NEW = "v1.36.3", "v1.37.2"
# CoreDNS takes its time to leave a node.
_DRAIN_TIMEOUT = "25"


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A cluster of the older version."""
    name = f"{lab_name}-upgrade"
    with own_lab(name, tmp_path_factory.mktemp("upgrade"), control_planes=3, workers=2) as own:
        own.edit(lambda content: content.update(kubernetes={"version": _OLD}))
        result = kubikk("up", "-f", str(own.file), timeout=2000)  # its version may have to be compiled
        assert result.returncode == 0, result.stdout
        yield own


@pytest.fixture(scope="module")
def backend(own_cluster: Description, own_hosts: Access, own_api: Api) -> str:
    """Address of a Service; see ``guarded_service``."""
    return guarded_service(own_cluster, own_hosts, own_api, _NEW)


def _say_bad_flag(content: dict[str, Any]) -> None:
    content["components"]["kube-apiserver"] = {"flags": {"no-such-flag": "1"}}


def test_what_kubernetes_does_not_support_is_refused(own: OwnLab, own_cluster: Description, own_hosts: Access) -> None:
    before = invocations(own_cluster, own_hosts)
    unknown = kubikk("upgrade", "-f", str(own.file), "--to", "v1.35.0")
    assert unknown.returncode == 1
    assert "KBK-601" in unknown.stdout, unknown.stdout
    text = own.file.read_text()
    own.edit(lambda content: content.update(kubernetes={"version": _NEW}))
    try:
        for command in ("up", "plan"):
            edited = kubikk(command, "-f", str(own.file))
            assert edited.returncode == 1
            assert f"kubikk upgrade --to {_NEW}" in edited.stdout, edited.stdout
    finally:
        own.file.write_text(text)
    assert invocations(own_cluster, own_hosts) == before


def test_a_host_that_does_not_get_healthy_is_given_back_what_it_had(
    own: OwnLab, own_cluster: Description, own_hosts: Access, backend: str
) -> None:
    text = own.file.read_text()
    own.edit(_say_bad_flag)
    before = invocations(own_cluster, own_hosts)
    unit = "/etc/systemd/system/kube-apiserver.service"
    first = own_cluster.control_planes[0].name
    unit_before = own_hosts.output(first, f"cat {unit}")
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    try:
        with measured(own_hosts.output, "w1", urls) as uptime:
            failed = kubikk("upgrade", "-f", str(own.file), "--to", _NEW, "--wait", "20")
        assert failed.returncode == 1, failed.stdout
        assert "KBK-602" in failed.stdout, failed.stdout
        assert "no-such-flag" in failed.stdout, failed.stdout
        assert running_versions(own_hosts, own_cluster, "kube-apiserver") == dict.fromkeys(
            (h.name for h in own_cluster.control_planes), _OLD[1:]
        )
        assert own_hosts.output(first, f"cat {unit}") == unit_before
        assert own_hosts.succeeds(
            first, "curl -sf --cacert /etc/kubernetes/kubelet/ca.crt https://127.0.0.1:6443/readyz"
        )
        after = invocations(own_cluster, own_hosts)
        touched = {key for key in before if before[key] != after.get(key)}
        # Controllers that lead end by themselves when their host's API server is away for long.
        touched -= {(first, unit) for unit in ("kube-controller-manager", "kube-scheduler")}
        # etcd comes first and is healthy on all; of API servers only the first was tried.
        assert touched == {(host.name, "etcd") for host in own_cluster.etcd_hosts} | {(first, "kube-apiserver")}
        assert uptime["API"].failed == 0, uptime["API"]
        assert uptime["Service"].failed == 0, uptime["Service"]
    finally:
        own.file.write_text(text)


def test_a_budget_stops_it_and_the_node_takes_pods_again(
    own: OwnLab, own_cluster: Description, own_hosts: Access, own_api: Api, backend: str
) -> None:
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    with measured(own_hosts.output, "w1", urls) as uptime:
        stopped = kubikk("upgrade", "-f", str(own.file), "--to", _NEW, "--drain-timeout", _DRAIN_TIMEOUT)
    print(stopped.stdout)
    assert stopped.returncode == 1, stopped.stdout
    assert "KBK-406" in stopped.stdout, stopped.stdout
    workers = {host.name for host in own_cluster.workers}
    expected = {host.name: _OLD[1:] if host.name in workers else _NEW[1:] for host in own_cluster.nodes}
    assert running_versions(own_hosts, own_cluster, "kubelet") == expected
    nodes = own_api.items("/api/v1/nodes")
    assert [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")] == []
    assert uptime["API"].failed == 0, uptime["API"]
    assert uptime["Service"].failed == 0, uptime["Service"]


def test_the_rest_without_an_interruption(
    own: OwnLab, own_cluster: Description, own_hosts: Access, own_api: Api, backend: str
) -> None:
    endpoint = own_cluster.variables["kubikk_api_endpoint"]
    urls = {"API": f"{endpoint}/api/v1/nodes/w1", "Service": f"http://{backend}/hostname"}
    options = ("--batch", "50%", "--drain-timeout", _DRAIN_TIMEOUT, "--force-drain")
    with measured(own_hosts.output, "w1", urls) as uptime:
        done = kubikk("upgrade", "-f", str(own.file), "--to", _NEW, *options)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    new = describe(own.directory)
    for program in ("kubelet", "kube-proxy"):
        assert running_versions(own_hosts, own_cluster, program) == dict.fromkeys(
            (host.name for host in own_cluster.nodes), _NEW[1:]
        )
    for program in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert running_versions(own_hosts, own_cluster, program) == dict.fromkeys(
            (host.name for host in own_cluster.control_planes), _NEW[1:]
        )
    for program in ("etcd", "containerd"):
        version = new.variables["kubikk_artifacts"][program]["version"]
        assert set(running_versions(own_hosts, own_cluster, program).values()) == {version}
    for node in own_api.items("/api/v1/nodes"):
        assert node["status"]["nodeInfo"]["kubeletVersion"] == _NEW
        assert not node["spec"].get("unschedulable")
    assert list((own.directory / "snapshots").glob("etcd-*.db"))
    assert own_hosts.output("w1", "ls /var/lib/kubikk/previous") == ""
    assert uptime["API"].failed == 0, uptime["API"]
    assert uptime["Service"].failed == 0, uptime["Service"]


def test_afterwards_there_is_nothing_to_do_and_no_way_back(own: OwnLab) -> None:
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
    assert "nothing to do" in again.stdout, again.stdout
    back = kubikk("upgrade", "-f", str(own.file), "--to", _OLD)
    assert back.returncode == 1
    assert "there is no way back" in back.stdout, back.stdout
    assert latest(own.directory) is not None
