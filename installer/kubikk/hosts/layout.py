"""What runs where: ports, services and files that a host of a role has or will have."""

from __future__ import annotations

from dataclasses import dataclass

from kubikk.cluster import Cluster, Host

ETCD_CLIENT, ETCD_PEER = 2379, 2380
KUBELET = 10250
FLANNEL_VXLAN = 8472

OPT = "/opt/kubikk/"
"""Where all of Kubikk's own programs lie."""

FLANNEL_INTERFACES = ("flannel.1", "flannel-v6.1")

RUNTIME_SERVICES = {"containerd": ("containerd",), "cri-o": ("crio",), "docker": ("docker", "cri-docker")}
"""The systemd services of each container runtime, without suffix, in the order they are started."""


@dataclass(frozen=True)
class Port:
    """A port that a service will listen on.

    Attributes:
        protocol: tcp or udp.
        number: the port.
        unit: the systemd service, without suffix.
        peers: whether other hosts connect to it.
    """

    protocol: str
    number: int
    unit: str
    peers: bool = True


def runs_haproxy(cluster: Cluster, host: Host) -> bool:
    """Whether a host balances its own requests to the API."""
    return cluster.api.load_balancer == "local" and host.is_node and not host.is_control_plane


def ports(cluster: Cluster, host: Host) -> tuple[Port, ...]:
    """Ports that will be used on a host.

    https://kubernetes.io/docs/reference/networking/ports-and-protocols/
    """
    found: list[Port] = []
    if host in cluster.etcd_hosts:
        found += [Port("tcp", ETCD_CLIENT, "etcd"), Port("tcp", ETCD_PEER, "etcd")]
    if host.is_control_plane:
        found.append(Port("tcp", cluster.api.port, "kube-apiserver"))
        found.append(Port("tcp", 10257, "kube-controller-manager", peers=False))
        found.append(Port("tcp", 10259, "kube-scheduler", peers=False))
        if cluster.cloud.artifact:
            found.append(Port("tcp", 10258, "cloud-controller-manager", peers=False))
    if host.is_node:
        found.append(Port("tcp", KUBELET, "kubelet"))
        found.append(Port("tcp", 10248, "kubelet", peers=False))
        found += [Port("tcp", number, "kube-proxy", peers=False) for number in (10249, 10256)]
        if uses_vxlan(cluster):
            found.append(Port("udp", FLANNEL_VXLAN, "flanneld"))
    if runs_haproxy(cluster, host):
        found.append(Port("tcp", cluster.api.port, "haproxy", peers=False))
    return tuple(found)


def uses_vxlan(cluster: Cluster) -> bool:
    """Whether pods' traffic is carried in VXLAN by flannel."""
    return cluster.network.plugin == "flannel" and cluster.network.backend == "vxlan"


def services(cluster: Cluster, host: Host) -> tuple[str, ...]:
    """systemd services that will run on a host, without suffix, in the order they are started."""
    found: list[str] = []
    if host in cluster.etcd_hosts:
        found.append("etcd")
    if host.is_control_plane:
        found += ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        if cluster.cloud.artifact:
            found.append("cloud-controller-manager")
        if cluster.api.load_balancer == "keepalived":
            found.append("keepalived")
    if host.is_node:
        found += RUNTIME_SERVICES[host.runtime or cluster.runtime]
        if runs_haproxy(cluster, host):
            found.append("haproxy")
        found.append("kubelet")
        if cluster.network.plugin == "flannel":
            found.append("flanneld")
        found.append("kube-proxy")
    return tuple(found)
