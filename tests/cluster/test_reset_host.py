"""One host is taken out of a cluster: nothing of Kubikk's is left there, what is others' stays, `up` takes it back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.cluster.support.api import administrator
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, kubikk, latest
from tests.cluster.support.traces import Traces, traces
from tests.cluster.support.waiting import until

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

# Things of the host's owner, each beside something that Kubikk makes or uses.
_MINE = (
    "mkdir -p /etc/cni/net.d /etc/haproxy /opt/cni/bin && echo keep > /etc/cni/net.d/99-mine.conf",
    "echo keep > /opt/cni/bin/mine && echo keep > /usr/local/bin/mine && echo keep > /etc/haproxy/mine.cfg",
    "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-mine.conf",
    "useradd --system mine && ip link add mine0 type bridge",
    "iptables -N MINE && iptables -A MINE -s 192.0.2.1 -j DROP && iptables -A FORWARD -j MINE",
    "mkdir -p /srv/mine && mount -t tmpfs mine /srv/mine",
)


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A small cluster, on a worker that is used for something else, too."""
    with own_lab(f"{lab_name}-reset", tmp_path_factory.mktemp("reset"), control_planes=1, workers=1) as own:
        for command in _MINE:
            own.run("w1", command)
        yield own


@pytest.fixture(scope="module")
def before(own: OwnLab) -> Traces:
    """What the worker consisted of before anything was installed."""
    found = traces(own, "w1")
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    return found


def _nodes(own: OwnLab) -> dict[str, bool]:
    """Nodes, and whether each is Ready."""
    pki = own.directory / "pki"
    api = administrator(f"https://{own.lab.hosts()[0].address}:6443", pki)
    return {
        node["metadata"]["name"]: any(
            each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"]
        )
        for node in api.items("/api/v1/nodes")
    }


def test_a_host_that_etcd_needs_is_not_reset(own: OwnLab, before: Traces) -> None:
    run = latest(own.directory)
    refused = kubikk("reset", "cp1", "--yes", "-f", str(own.file))
    assert refused.returncode == 1, refused.stdout
    assert "KBK-412" in refused.stdout, refused.stdout
    assert "kubikk node remove" in refused.stdout, refused.stdout
    assert _nodes(own) == {"cp1": True, "w1": True}
    assert latest(own.directory) != run  # it is in the journal


def test_it_asks_first_and_knows_the_hosts(own: OwnLab, before: Traces) -> None:
    assert kubikk("reset", "w1", "-f", str(own.file)).returncode != 0  # it asks, and nobody answers
    unknown = kubikk("reset", "w9", "--yes", "-f", str(own.file))
    assert unknown.returncode == 1
    assert "no host w9" in unknown.stdout, unknown.stdout
    assert _nodes(own) == {"cp1": True, "w1": True}


def test_nothing_of_ours_is_left_and_all_of_theirs(own: OwnLab, before: Traces, subtests: pytest.Subtests) -> None:
    result = kubikk("reset", "w1", "--yes", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    assert _nodes(own) == {"cp1": True}
    after = traces(own, "w1")
    for kind, things in before.items():
        with subtests.test(kind):
            assert after[kind] - things == set()
            assert things - after[kind] == set()
    assert "192.0.2.1" in own.run("w1", "iptables -S MINE")
    time.sleep(12)  # a kubelet that still ran would have made its Node again
    assert _nodes(own) == {"cp1": True}


def test_up_takes_it_back(own: OwnLab, before: Traces) -> None:
    result = kubikk("up", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    until(lambda: _nodes(own) == {"cp1": True, "w1": True}, "both Ready", within=60)
    run = latest(own.directory)
    assert run is not None
    assert [change for change in changes(run) if change.startswith("cp1: ") and "w1" not in change] == []
