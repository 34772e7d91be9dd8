"""The hosts of a cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kubikk.cluster.cloud import ProviderId
from kubikk.cluster.labels import LabelKey, LabelValue, TaintText, parse_taint
from kubikk.cluster.runtime import Runtime
from kubikk.cluster.section import Section, describe, refuse
from kubikk.cluster.ssh import HostSsh
from kubikk.cluster.syntax import HostAddress, HostIpv6Address, is_dns_name

Role = Literal["control-plane", "worker", "etcd"]
ROLES: tuple[Role, ...] = ("control-plane", "worker", "etcd")

Arch = Literal["amd64", "arm64"]

# Ansible gives these names a meaning of their own in every inventory.
_NAMES_IN_INVENTORY = ("all", "etcd", "localhost", "ungrouped")
# The name becomes the node's `kubernetes.io/hostname` label.
_LONGEST = 63


def _host_name(text: str) -> str:
    if not is_dns_name(text) or len(text) > _LONGEST:
        lower = text.lower()
        remedy = (
            f"Write {lower}."
            if is_dns_name(lower)
            else "Use at most 63 of a-z, 0-9, - and dots, with a letter or digit at both ends."
        )
        raise refuse(f"{describe(text)} is no host name that Kubernetes accepts for a node", remedy)
    if text in _NAMES_IN_INVENTORY:
        raise refuse(f"the host name {text} has another meaning in an Ansible inventory", f"Name it {text}1, say.")
    return text


def _roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if not roles:
        raise refuse("the host has no role", f"List one or more of {', '.join(ROLES)}.")
    doubled = [role for role in ROLES if roles.count(role) > 1]
    if doubled:
        raise refuse(f"the role {doubled[0]} is listed twice", "Remove one.")
    return roles


def _taints(taints: tuple[str, ...]) -> tuple[str, ...]:
    seen = set()
    for taint in map(parse_taint, taints):
        if (taint.key, taint.effect) in seen:
            raise refuse(
                f"the taint {taint.key} with the effect {taint.effect} is listed twice; Kubernetes keeps one value",
                "Remove one.",
            )
        seen.add((taint.key, taint.effect))
    return taints


class Host(Section):
    """One machine."""

    name: Annotated[str, AfterValidator(_host_name)] = Field(
        description="Name of the host and of its node; it need not resolve anywhere."
    )
    address: HostAddress = Field(
        description="IPv4 address that the other hosts reach it at. Components listen on it and certificates name it."
    )
    ipv6_address: HostIpv6Address | None = Field(
        default=None,
        description="IPv6 address of the same interface, for pods' and Services' traffic: needed with `network.ipv6`.",
    )
    roles: Annotated[tuple[Role, ...], Field(strict=False), AfterValidator(_roles)] = Field(
        description="What it runs. A control-plane host that is also a worker takes ordinary pods. "
        "Where no host has the role etcd, the control-plane hosts run it."
    )
    ssh: HostSsh = Field(default=HostSsh(), description="What differs from the cluster's `ssh` for this host.")
    labels: dict[LabelKey, LabelValue] = Field(default={}, description="Labels of its node.")
    taints: Annotated[tuple[TaintText, ...], Field(strict=False), AfterValidator(_taints)] = Field(
        default=(), description="Taints of its node, each written `key=value:Effect` or `key:Effect`."
    )
    runtime: Runtime | None = Field(default=None, description="Container runtime, where it is not the cluster's.")
    provider_id: ProviderId | None = Field(
        default=None,
        description="What the cloud calls the machine, for example `aws:///eu-west-1a/i-0123456789abcdef0`. "
        "Without it, the cloud-controller-manager has to find the machine by the host's name, as AWS's does only where "
        "that is the instance's private DNS name.",
    )
    arch: Arch = Field(default="amd64", description="Processor architecture.")

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, IPv4's first."""
        return (self.address, *([self.ipv6_address] if self.ipv6_address else []))

    @property
    def is_control_plane(self) -> bool:
        """Whether it runs the API server, controller manager and scheduler."""
        return "control-plane" in self.roles

    @property
    def is_worker(self) -> bool:
        """Whether it takes ordinary pods."""
        return "worker" in self.roles

    @property
    def is_node(self) -> bool:
        """Whether it runs kubelet: all but dedicated etcd hosts."""
        return self.is_control_plane or self.is_worker
