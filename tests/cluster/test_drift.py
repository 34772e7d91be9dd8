"""What somebody changes on a host by hand is announced by `plan` and healed by `up`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, runs

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Drift:
    """One thing that is changed by hand.

    Attributes:
        title: what it is.
        command: does it.
        announced: what the plan says of it.
        healed: succeeds when it is undone.
    """

    title: str
    command: str
    announced: str
    healed: str


_DRIFTS = (
    Drift(
        "a file is edited",
        "echo 'maxPods: 7' >> /etc/kubernetes/kubelet/config.yaml",
        "~ /etc/kubernetes/kubelet/config.yaml",
        "! grep -q 'maxPods: 7' /etc/kubernetes/kubelet/config.yaml",
    ),
    Drift(
        "a file is opened to all",
        "chmod 0644 /etc/kubernetes/kubelet/server.key",
        "~ /etc/kubernetes/kubelet/server.key",
        "test $(stat -c %a /etc/kubernetes/kubelet/server.key) = 600",
    ),
    Drift(
        "a unit is stopped",
        "systemctl stop haproxy",
        "start haproxy on {host}: it is inactive",
        "systemctl is-active --quiet haproxy",
    ),
    Drift(
        "a unit is disabled",
        "systemctl disable containerd",
        "~ enabled containerd",
        "systemctl is-enabled --quiet containerd",
    ),
    Drift(
        "a binary is replaced",
        "f=$(readlink /opt/cni/bin/portmap) && cp /bin/true $f",
        "~ binary portmap",
        "! cmp -s /bin/true /opt/cni/bin/portmap",
    ),
    Drift(
        "a chain is flushed",
        "iptables -t nat -F KUBE-SERVICES",
        "restart kube-proxy on {host}: what it made is damaged",
        "iptables -t nat -S KUBE-SERVICES | grep -q -- '-A KUBE-SERVICES'",
    ),
    Drift(
        "the pod network's configuration is deleted",
        "rm /etc/cni/net.d/10-flannel.conflist",
        "restart flanneld on {host}: what it made is damaged",
        "test -s /etc/cni/net.d/10-flannel.conflist",
    ),
    Drift(
        "a kernel setting is changed",
        "sysctl -q -w net.ipv4.ip_forward=0",
        "~ sysctl net.ipv4.ip_forward = 1",
        "test $(sysctl -n net.ipv4.ip_forward) = 1",
    ),
)


def test_drift_is_announced_and_healed(cluster: Description, access: Access, subtests: pytest.Subtests) -> None:
    host = cluster.workers[0].name
    for drift in _DRIFTS:
        access.output(host, drift.command)
    planned = kubikk("plan", "-f", str(cluster.cluster_file))
    assert planned.returncode == 2, planned.stdout
    healed = kubikk("up", "-f", str(cluster.cluster_file))
    assert healed.returncode == 0, healed.stdout
    for drift in _DRIFTS:
        with subtests.test(drift.title):
            assert drift.announced.format(host=host) in " ".join(planned.stdout.split()), planned.stdout
            assert access.succeeds(host, drift.healed)
    touched = {line.split(":")[0] for line in changes(runs(cluster.directory)[-1])}
    assert touched == {host}
    again = kubikk("plan", "-f", str(cluster.cluster_file))
    assert again.returncode == 0, again.stdout
