"""How the API is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kubikk.cluster.section import Section, refuse
from kubikk.cluster.ssh import Port
from kubikk.cluster.syntax import CertificateName, HostnameOrIp, host_address, is_ip, is_ipv4

# What every control-plane host or node listens on already.
_TAKEN = {
    2379: "etcd",
    2380: "etcd",
    2381: "etcd",
    10248: "kubelet",
    10249: "kube-proxy",
    10250: "kubelet",
    10256: "kube-proxy",
    10257: "kube-controller-manager",
    10259: "kube-scheduler",
}
_NODE_PORTS = range(30000, 32768)


def _port(port: int) -> int:
    if port in _TAKEN:
        raise refuse(f"the port {port} is {_TAKEN[port]}'s on the same hosts", "6443 is the usual one.")
    if port in _NODE_PORTS:
        raise refuse(f"the port {port} is in the range of node ports, 30000 to 32767", "6443 is the usual one.")
    return port


def _endpoint(text: str) -> str:
    if is_ipv4(text):
        return host_address(text)
    if is_ip(text):
        raise refuse(f"{text} is an IPv6 address; expected a host name or an IPv4 address", "Give the IPv4 address.")
    return text


class Api(Section):
    """The endpoint that kubelets, kube-proxies and people use, whichever API server answers."""

    load_balancer: Literal["local", "external", "keepalived"] = Field(
        default="local",
        description="local: haproxy on every host without a control plane; external: one you run, at `endpoint`; "
        "keepalived: `endpoint` is a free address that the control-plane hosts pass among themselves.",
    )
    endpoint: Annotated[HostnameOrIp, AfterValidator(_endpoint)] | None = Field(
        default=None,
        description="Name or address of the external load balancer, or keepalived's virtual address; without port.",
    )
    port: Annotated[Port, AfterValidator(_port)] = Field(
        default=6443, description="Port of the API servers and of the endpoint."
    )
    extra_sans: Annotated[tuple[CertificateName, ...], Field(strict=False)] = Field(
        default=(), description="Further names and addresses that the API servers' certificates are valid for."
    )
