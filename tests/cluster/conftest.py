"""The running cluster, and ways to ask it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.support.access import Access, opened
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.description import Description, describe
from tests.cluster.support.images import import_agnhost
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.labs import OwnLab
from tests.cluster.support.probes import Pod, Probes, daemon_set
from tests.cluster.support.waiting import until

# The first look at the cluster comes first, what changes it comes last; in between order does not matter.
_FIRST = "test_nodes.py"
_LAST = (
    "test_idempotence.py",
    "test_cost.py",
    "test_ansible_alone.py",
    "test_plan.py",
    "test_drift.py",
    "test_lock.py",
    "test_interrupts.py",
    "test_metrics.py",
    "test_etcd_snapshot.py",
    "test_faults.py",
    "test_cold_start.py",
    "test_quorum.py",
    "test_errors.py",
    "test_molecule.py",
    "test_wheel.py",
    "test_collection.py",
    "test_firewall.py",
    "test_dual_stack.py",
    "test_debian_13.py",
    "test_sudo_user.py",
    "test_resume.py",
    "test_encryption.py",
    "test_expired.py",
    "test_reset_host.py",
    "test_rotate_ca.py",
    "test_upgrade_parts.py",
    "test_upgrade.py",
    "test_proxy_modes.py",
    "test_runtimes.py",
    "test_cloud.py",
    "test_variants.py",
    "test_etcd_restore.py",
    "test_members.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders files; tests keep their order inside of them.

    Files that do not ask the running cluster make labs of their own: they are marked so, and can run beside the others.
    """
    here = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        if item.path.parent.name == "chaos":
            return len(_LAST) + 1
        if item.path.parent != here:
            return -2
        name = item.path.name
        return _LAST.index(name) + 1 if name in _LAST else -int(name == _FIRST)

    items.sort(key=rank)
    sharing = {item.path for item in items if "cluster" in getattr(item, "fixturenames", ())}
    for item in items:
        if item.path not in sharing:
            item.add_marker(pytest.mark.own_lab)


@pytest.fixture(scope="session")
def lab_name(pytestconfig: pytest.Config) -> str:
    """Name of the lab under test; tests name labs of their own after it, so that one clean-up finds them all."""
    return Path(pytestconfig.getoption("--cluster-dir")).resolve().name


@pytest.fixture(scope="module")
def own_cluster(own: OwnLab) -> Description:
    """What runs on the lab that a module makes for itself (its fixture ``own``), as the inventory describes it."""
    return describe(own.directory)


@pytest.fixture(scope="module")
def own_hosts(own_cluster: Description) -> Iterator[Access]:
    """Commands on its hosts."""
    with opened(own_cluster) as access:
        yield access


@pytest.fixture(scope="module")
def own_api(own_cluster: Description) -> Iterator[Api]:
    """The API server of its last control-plane host, asked as the administrator: others may be ill or restarting."""
    api = administrator(own_cluster.api_server(own_cluster.control_planes[-1]), own_cluster.pki)
    yield api
    api.close()


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Description:
    """The cluster under test."""
    try:
        return describe(Path(pytestconfig.getoption("--cluster-dir")))
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def access(cluster: Description) -> Iterator[Access]:
    """Commands on its hosts."""
    with opened(cluster) as access:
        yield access


@pytest.fixture(scope="session")
def api(cluster: Description) -> Iterator[Api]:
    """The first host's API server, asked as the administrator."""
    api = administrator(cluster.api_server(), cluster.pki)
    yield api
    api.close()


@pytest.fixture(scope="session")
def kubectl(cluster: Description) -> Kubectl:
    """kubectl with the operator's kubeconfig."""
    return Kubectl(cluster.program("kubectl"), cluster.kubeconfig)


@pytest.fixture(scope="session")
def image(cluster: Description, access: Access) -> str:
    """Reference of the test image, present on every node."""
    return import_agnhost(cluster, access)


@pytest.fixture(scope="session")
def namespace(api: Api) -> Iterator[str]:
    """A namespace of this test run; it goes with everything in it."""
    name = f"kubikk-test-{secrets.token_hex(3)}"
    api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    # Pods are refused until the default ServiceAccount is there.
    until(
        lambda: api.items(f"/api/v1/namespaces/{name}/serviceaccounts"),
        "the default ServiceAccount",
        within=30,
    )
    yield name
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="session")
def probes(cluster: Description, api: Api, kubectl: Kubectl, namespace: str, image: str) -> Probes:
    """A pod on every node, control-plane nodes included."""
    objects = daemon_set(image)
    for each in objects:
        each["metadata"]["namespace"] = namespace
    kubectl.apply(objects)
    kubectl.run("rollout", "status", "--namespace", namespace, "daemonset/probe", "--timeout=120s", timeout=130)
    listed = api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector="app=probe")
    pods = [Pod(pod["metadata"]["name"], pod["status"]["podIP"], pod["spec"]["nodeName"]) for pod in listed]
    return Probes(api, namespace, {pod.node: pod for pod in pods})
