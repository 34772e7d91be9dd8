"""Which certificates a cluster needs: a table that follows from the cluster file alone.

Names and groups are Kubernetes' own:
https://kubernetes.io/docs/setup/best-practices/certificates/ and
https://kubernetes.io/docs/reference/access-authn-authz/node/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubikk.cluster.hosts import Host
from kubikk.cluster.models import Cluster
from kubikk.pki.certificates import Request

CLUSTER = "ca"
ETCD = "etcd-ca"
FRONT_PROXY = "front-proxy-ca"

AUTHORITIES = {CLUSTER: "kubernetes-ca", ETCD: "etcd-ca", FRONT_PROXY: "kubernetes-front-proxy-ca"}
"""File names (without suffix) of the authorities, and the common name of each."""

HOST_DIRECTORIES = ("etcd", "control-plane", "kubelet")
"""Directories that have one directory for each host."""

_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Leaf:
    """A certificate that should exist.

    Attributes:
        path: file below the PKI directory, without its suffix, for example ``etcd/cp1/peer``.
        authority: one of ``AUTHORITIES``.
        request: what it should say.
    """

    path: str
    authority: str
    request: Request


def leaves(cluster: Cluster) -> tuple[Leaf, ...]:
    """All leaf certificates of a cluster."""
    return tuple(_leaves(cluster))


def _leaves(cluster: Cluster) -> Iterator[Leaf]:
    yield Leaf("admin", CLUSTER, Request("kubernetes-admin", ("system:masters",)))
    if cluster.addons.metrics_server:
        yield Leaf("metrics-server", CLUSTER, _serving_service("metrics-server", cluster.network.dns_domain))
    for host in cluster.etcd_hosts:
        yield from _etcd(host)
    for host in cluster.control_plane_hosts:
        yield from _control_plane(cluster, host)
    for host in cluster.cluster_hosts:
        yield from _node(host)


def _serving_service(name: str, domain: str) -> Request:
    """For a server behind a Service of kube-system; API servers that pass requests on ask for the first name."""
    service = f"{name}.kube-system.svc"
    return Request(name, (), (service, f"{service}.{domain}"), (), ("server",))


def _etcd(host: Host) -> Iterator[Leaf]:
    directory = f"etcd/{host.name}"
    names, addresses = (host.name, "localhost"), (host.address, *_LOOPBACK)
    # etcd uses its server certificate as a client of itself (the gRPC gateway), a peer its own for both directions.
    for kind, common_name in (("server", "kube-etcd"), ("peer", "kube-etcd-peer")):
        yield Leaf(f"{directory}/{kind}", ETCD, Request(common_name, (), names, addresses, ("server", "client")))
    yield Leaf(f"{directory}/healthcheck", ETCD, Request("kube-etcd-healthcheck-client"))


def _control_plane(cluster: Cluster, host: Host) -> Iterator[Leaf]:
    directory = f"control-plane/{host.name}"
    names, addresses = cluster.api_certificate_names(host)
    yield Leaf(f"{directory}/apiserver", CLUSTER, Request("kube-apiserver", (), names, addresses, ("server",)))
    # No group: it may do what the role system:kubelet-api-admin allows, not everything.
    yield Leaf(f"{directory}/apiserver-kubelet-client", CLUSTER, Request("kube-apiserver-kubelet-client"))
    yield Leaf(f"{directory}/apiserver-etcd-client", ETCD, Request("kube-apiserver-etcd-client"))
    yield Leaf(f"{directory}/front-proxy-client", FRONT_PROXY, Request("front-proxy-client"))
    components = {"controller-manager": "kube-controller-manager", "scheduler": "kube-scheduler"}
    if cluster.cloud.artifact:
        components["cloud-controller-manager"] = "cloud-controller-manager"
    for file, component in components.items():
        yield Leaf(f"{directory}/{file}", CLUSTER, Request(f"system:{component}"))
        own_names, own_addresses = (host.name, "localhost"), (host.address, "127.0.0.1")
        serving = Request(component, (), own_names, own_addresses, ("server",))
        yield Leaf(f"{directory}/{file}-server", CLUSTER, serving)


def _node(host: Host) -> Iterator[Leaf]:
    directory = f"kubelet/{host.name}"
    user, groups = f"system:node:{host.name}", ("system:nodes",)
    yield Leaf(f"{directory}/client", CLUSTER, Request(user, groups))
    yield Leaf(f"{directory}/server", CLUSTER, Request(user, groups, (host.name,), (host.address,), ("server",)))
    yield Leaf(f"{directory}/kube-proxy", CLUSTER, Request("system:kube-proxy"))
    yield Leaf(f"{directory}/flannel", CLUSTER, Request("system:flannel"))
