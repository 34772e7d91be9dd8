"""The services on a host, and whether one was started anew."""

from __future__ import annotations

from tests.cluster.support.access import Access
from tests.cluster.support.description import Description

ETCD = ("etcd",)
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
RUNTIMES = {"containerd": ("containerd",), "cri-o": ("crio",), "docker": ("docker", "cri-docker")}
NODE = ("kubelet", "kube-proxy", "flanneld")
LOAD_BALANCERS = ("haproxy", "keepalived")


def expected(cluster: Description, host: str) -> tuple[str, ...]:
    """The units that must run on a host, without those of an API load balancer."""
    node = tuple(unit for unit in NODE if unit != "flanneld" or cluster.variables["kubikk_network_plugin"] == "flannel")
    node = RUNTIMES[cluster.hosts[host].runtime] + node
    groups = {"etcd": ETCD, "kube_control_plane": CONTROL_PLANE, "k8s_cluster": node}
    return tuple(unit for group, units in groups.items() if host in cluster.groups[group] for unit in units)


def invocations(cluster: Description, access: Access) -> dict[tuple[str, str], str]:
    """Which start of each unit is running: (host, unit) -> systemd's InvocationID."""
    found = {}
    for host in cluster.hosts:
        runtimes = (unit for units in RUNTIMES.values() for unit in units)
        units = (*ETCD, *CONTROL_PLANE, *runtimes, *NODE, *LOAD_BALANCERS)
        output = access.output(host, f"systemctl show --property=Id,ActiveState,InvocationID {' '.join(units)}")
        for block in output.split("\n\n"):
            fields = dict(line.split("=", 1) for line in block.splitlines())
            if fields["ActiveState"] == "active":
                found[host, fields["Id"].removesuffix(".service")] = fields["InvocationID"]
    return found


def main_process(access: Access, host: str, unit: str) -> int:
    """Process id of a unit."""
    process = int(access.output(host, f"systemctl show --property=MainPID --value {unit}"))
    assert process, f"{unit} does not run on {host}"
    return process
