"""The cluster file as a whole."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from kubikk.cluster.api import Api
from kubikk.cluster.artifacts import Artifacts
from kubikk.cluster.cloud import Cloud
from kubikk.cluster.components import Components
from kubikk.cluster.etcd import Etcd
from kubikk.cluster.hosts import Arch, Host
from kubikk.cluster.kubernetes import Addons, KubeProxy, Kubernetes
from kubikk.cluster.network import Network
from kubikk.cluster.proxy import Proxy
from kubikk.cluster.runtime import Runtime
from kubikk.cluster.section import Section, refuse
from kubikk.cluster.ssh import Connection, Ssh, connection
from kubikk.cluster.syntax import DnsLabel, is_ip


def _hosts(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    if not hosts:
        raise refuse("there is no host", "List at least one, with name, address and roles.")
    return hosts


class Cluster(Section):
    """A cluster, as its file describes it."""

    name: DnsLabel = Field(
        default="cluster",
        description="Name of the cluster. What belongs to it lies in `inventory/<name>/`.",
    )
    kubernetes: Kubernetes = Field(default=Kubernetes(), description="What is installed.")
    ssh: Ssh = Field(default=Ssh(), description="How hosts are reached, unless a host says otherwise.")
    hosts: Annotated[tuple[Host, ...], Field(strict=False), AfterValidator(_hosts)] = Field(description="The machines.")
    runtime: Runtime = Field(
        default="containerd", description="Container runtime of all hosts. Changing it moves pods away, host by host."
    )
    network: Network = Field(default=Network(), description="Networks of pods and Services.")
    api: Api = Field(default=Api(), description="How the API is reached.")
    kube_proxy: KubeProxy = Field(default=KubeProxy(), description="How Services are reached on every node.")
    etcd: Etcd = Field(default=Etcd(), description="The cluster's data store.")
    cloud: Cloud = Field(default=Cloud(), description="The cloud whose machines the hosts are.")
    proxy: Proxy = Field(default=Proxy(), description="What hosts reach the outside by.")
    artifacts: Artifacts = Field(default=Artifacts(), description="Where binaries and images come from.")
    addons: Addons = Field(default=Addons(), description="What is installed in the cluster itself.")
    components: Components = Field(
        default=Components(), description="Settings of single components, merged over Kubikk's own."
    )

    @property
    def control_plane_hosts(self) -> tuple[Host, ...]:
        """Hosts that run API servers, in the file's order."""
        return tuple(host for host in self.hosts if host.is_control_plane)

    @property
    def etcd_hosts(self) -> tuple[Host, ...]:
        """Hosts that run etcd: those with that role, else the control-plane hosts."""
        return tuple(host for host in self.hosts if "etcd" in host.roles) or self.control_plane_hosts

    @property
    def worker_hosts(self) -> tuple[Host, ...]:
        """Hosts that take ordinary pods; a control-plane host may be among them."""
        return tuple(host for host in self.hosts if host.is_worker)

    @property
    def cluster_hosts(self) -> tuple[Host, ...]:
        """Hosts that run kubelet, the inventory group ``k8s_cluster``: all but dedicated etcd hosts."""
        return tuple(host for host in self.hosts if host.is_node)

    @property
    def archs(self) -> tuple[Arch, ...]:
        """Architectures of the hosts, sorted, each once."""
        return tuple(sorted({host.arch for host in self.hosts}))

    @property
    def dns_address(self) -> str:
        """The address of the cluster's DNS."""
        return self.network.dns_address

    @property
    def first_service_address(self) -> str:
        """The address of the API inside the cluster."""
        return self.network.first_service_address

    @property
    def proxy_environment(self) -> dict[str, str]:
        """Variables that make programs on hosts use the proxy, and not for the cluster itself; none without one."""
        # Without the hosts' addresses: one more host must not restart the container runtimes of all the others.
        inside = (*self.network.pod_cidrs, *self.network.service_cidrs, ".svc", f".{self.network.dns_domain}")
        return self.proxy.environment(("localhost", "127.0.0.1", *inside))

    @property
    def api_endpoint_url(self) -> str:
        """Where kubelet, kube-proxy and flannel reach the API from any host."""
        return f"https://{self.api.endpoint or '127.0.0.1'}:{self.api.port}"

    def connection(self, host: Host) -> Connection:
        """How a host is reached, all defaults applied."""
        return connection(host.address, self.ssh, host.ssh)

    def api_certificate_names(self, host: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the certificate of a host's API server is valid for.

        Args:
            host: a control-plane host.

        Returns:
            DNS names and IP addresses, each sorted and without doubles.
        """
        service = "kubernetes.default"
        names = {
            *("kubernetes", service, f"{service}.svc", f"{service}.svc.{self.network.dns_domain}"),
            *("localhost", "127.0.0.1", "::1", host.name, host.address, self.first_service_address),
            *self.api.extra_sans,
        }
        if self.api.endpoint:
            names.add(self.api.endpoint)
        addresses = {name for name in names if is_ip(name)}
        return tuple(sorted(names - addresses)), tuple(sorted(addresses))
