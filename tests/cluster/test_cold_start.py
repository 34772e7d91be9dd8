"""All hosts lose their power at once, and get it back one after the other: the cluster comes back by itself."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubikk.lab import Lab
from kubikk.progress import Silent
from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, latest
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.mark.parametrize("order", ["workers-first", "by-chance"])
def test_all_hosts_off_and_on(order: str, cluster: Description, access: Access, api: Api) -> None:
    lab = Lab(cluster.name, Silent())
    names = [host.name for host in (*cluster.workers, *cluster.control_planes)]
    names += [host.name for host in cluster.etcd_hosts if host.name not in names]
    if order == "by-chance":
        seed = random.randrange(1 << 32)  # noqa: S311 (no secret)
        print(f"seed {seed}")
        random.Random(seed).shuffle(names)  # noqa: S311 (no secret)
    path = "/api/v1/namespaces/default/configmaps"
    word = f"before-the-dark-{order}"
    api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": word}})
    with ThreadPoolExecutor() as pool:
        list(pool.map(lab.power_off, names))
    access.forget(names)
    for name in names:
        lab.power_on(name)
        time.sleep(2)  # not all in the same breath: each comes up without those that follow
    begun = time.monotonic()
    until(lambda: api.status("/readyz") == 200, "the API answers", within=180)
    print(f"{', '.join(names)}: the API answers {time.monotonic() - begun:.0f} s after the last one's sshd")
    until(lambda: kubikk("status", "-f", str(cluster.cluster_file)).returncode == 0, "all is well", within=240, every=5)
    print(f"all is well after {time.monotonic() - begun:.0f} s")
    assert api.status(f"{path}/{word}") == 200
    api.delete(f"{path}/{word}")
    pods = api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
    assert pods
    until(
        lambda: all(
            any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
            for pod in api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
        ),
        "DNS answers",
        within=180,
    )
    result = kubikk("up", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    run = latest(cluster.directory)
    assert run is not None
    assert changes(run) == []
