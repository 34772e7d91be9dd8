"""Kubernetes' version, kube-proxy and addons."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from kubikk.cluster.section import Section, describe, refuse
from kubikk.cluster.versions import DEFAULT, SUPPORTED


def _version(value: Any) -> Any:
    if value not in SUPPORTED:
        with_v = f"v{value}"
        remedy = f"Write {with_v}." if with_v in SUPPORTED else f"Write one of {', '.join(SUPPORTED)}."
        raise refuse(
            f"the Kubernetes version {describe(value)} is not supported; expected {' or '.join(SUPPORTED)}", remedy
        )
    return value


class Kubernetes(Section):
    """What is installed."""

    version: Annotated[str, BeforeValidator(_version), Field(json_schema_extra={"enum": list[Any](SUPPORTED)})] = Field(
        default=DEFAULT, description="Version of Kubernetes; those of etcd, containerd and the rest follow from it."
    )
    drain_timeout: int = Field(
        default=300,
        ge=1,
        le=86400,
        description="Seconds that pods may take to leave a node whose host is taken out of service for a change.",
    )

    @property
    def number(self) -> str:
        """The version without its v, for example 1.37.2."""
        return self.version.removeprefix("v")

    @property
    def minor(self) -> str:
        """The minor version, for example 1.37."""
        return self.number.rpartition(".")[0]


class KubeProxy(Section):
    """How Services are reached on every node."""

    mode: Literal["iptables", "nftables", "ipvs"] = Field(
        default="iptables",
        description="How kube-proxy directs traffic. nftables needs Linux 5.13; ipvs needs a kernel with it, "
        "and Kubernetes has announced its end. A change interrupts new connections to Services for about a second.",
    )


class Addons(Section):
    """What is installed in the cluster itself."""

    coredns: bool = Field(
        default=True, description="DNS for pods. Without it, bring your own, at the tenth Service address."
    )
    metrics_server: bool = Field(
        default=True,
        description="metrics-server, for `kubectl top` and HorizontalPodAutoscalers. Turned off later, it is removed.",
    )
