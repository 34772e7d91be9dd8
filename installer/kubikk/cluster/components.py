"""Settings of single components, merged over Kubikk's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from kubikk.cluster.section import Section, describe, refuse

_FLAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Owned:
    """A setting that is not free, because more than this component depends on it.

    Attributes:
        reason: why, as the end of "… is not free: ".
        remedy: what to do instead.
    """

    reason: str
    remedy: str


_FROM_INVENTORY = "Remove it; change the cluster file's hosts instead."


def _from(key: str) -> Owned:
    return Owned(f"several components need the same value, which is {key}", f"Remove it, and set {key}.")


# Only what would tear the cluster apart: identities of members and data, and values that several components share.
_OWNED_FLAGS: dict[str, dict[str, Owned]] = {
    "etcd": {
        "name": Owned("it identifies the member", _FROM_INVENTORY),
        "data-dir": Owned("a member started on another directory has lost its data", "Mount a disk there instead."),
        "initial-cluster": Owned("it identifies the members", _FROM_INVENTORY),
        "initial-advertise-peer-urls": Owned("it identifies the member", _FROM_INVENTORY),
        "advertise-client-urls": Owned("API servers reach the member there", _FROM_INVENTORY),
    },
    "kube-apiserver": {
        "etcd-servers": Owned("it follows from the etcd hosts", _FROM_INVENTORY),
        "secure-port": _from("api.port"),
        "service-cluster-ip-range": _from("network.service_cidr"),
    },
    "kube-controller-manager": {
        "cloud-provider": _from("cloud.provider"),
        "cluster-cidr": _from("network.pod_cidr"),
        "service-cluster-ip-range": _from("network.service_cidr"),
    },
    "cloud-controller-manager": {"cloud-config": _from("cloud.config"), "cluster-cidr": _from("network.pod_cidr")},
    "kubelet": {
        "cloud-provider": _from("cloud.provider"),
        "hostname-override": Owned("it is the node's name, which certificates are issued for", _FROM_INVENTORY),
    },
}
_OWNED_CONFIG: dict[str, dict[str, Owned]] = {
    "kubelet": {
        "clusterDomain": _from("network.dns_domain"),
        "providerID": Owned("it is what the cloud calls this machine", "Remove it, and set the host's provider_id."),
    },
    "kube-proxy": {"mode": _from("kube_proxy.mode"), "clusterCIDR": _from("network.pod_cidr")},
}


def _flag_name(name: str) -> str:
    bare = name.lstrip("-")
    if bare != name and _FLAG.fullmatch(bare):
        raise refuse(f"the flag {describe(name)} is written with dashes in front", f"Write {bare}.")
    if not _FLAG.fullmatch(name):
        raise refuse(f"{describe(name)} is no flag", "Write the flag's name without dashes and value.")
    return name


def _flag_value(value: Any) -> Any:
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, Scalar) for entry in entries):
        raise refuse(
            f"{describe(value)} is no value of a flag; expected text, a number, true, false, null or a list of these",
            "A list is joined with commas; null removes the flag.",
        )
    if any("\n" in entry or "\0" in entry for entry in entries if isinstance(entry, str)):
        raise refuse("a flag's value has a line break in it", "Write it on one line.")
    return value


def _config_value(value: Any) -> Any:
    """Refuses what neither JSON nor TOML can hold in the same way: dates, sets, bytes."""
    if isinstance(value, dict):
        for entry in value.values():
            _config_value(entry)
    elif isinstance(value, list):
        for entry in value:
            _config_value(entry)
    elif not isinstance(value, Scalar):
        raise refuse(f"a setting is a {type(value).__name__}, {describe(value)}", "Quote it.")
    return value


FlagName = Annotated[str, AfterValidator(_flag_name)]
FlagValue = Annotated[
    Any,
    AfterValidator(_flag_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean", "null"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]
ConfigValue = Annotated[Any, AfterValidator(_config_value)]


class Flags(Section):
    """A component that is set by command-line flags."""

    flags: dict[FlagName, FlagValue] = Field(
        default={},
        description="Flags without dashes, merged over the defaults; a list is joined with commas, null removes.",
    )


class Config(Section):
    """A component that is set by a configuration file."""

    config: dict[str, ConfigValue] = Field(
        default={},
        description="Merged into the configuration file at every depth; a list takes the place of the default one.",
    )


class FlagsAndConfig(Config, Flags):
    """A component that is set by a configuration file, and by flags for what has no place there."""


class Versioned(Section):
    """A component that need not have the version that goes with Kubernetes."""

    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)+$")] | None = Field(
        default=None,
        description="Version, without a v; by default the one that goes with the version of Kubernetes. "
        "`kubikk upgrade` changes it.",
    )


class VersionedFlags(Versioned, Flags):
    """The same, for flags."""


class VersionedConfig(Versioned, Config):
    """The same, for a configuration file."""


class Components(Section):
    """Settings of single components, merged over Kubikk's own."""

    model_config = ConfigDict(serialize_by_alias=True)

    etcd: VersionedFlags = Field(default=VersionedFlags(), description="Flags of etcd, and its version.")
    kube_apiserver: Flags = Field(default=Flags(), alias="kube-apiserver", description="Flags of kube-apiserver.")
    kube_controller_manager: Flags = Field(
        default=Flags(), alias="kube-controller-manager", description="Flags of kube-controller-manager."
    )
    kube_scheduler: Flags = Field(default=Flags(), alias="kube-scheduler", description="Flags of kube-scheduler.")
    cloud_controller_manager: Flags = Field(
        default=Flags(), alias="cloud-controller-manager", description="Flags of cloud-controller-manager."
    )
    flannel: Flags = Field(default=Flags(), description="Flags of flanneld.")
    containerd: VersionedConfig = Field(
        default=VersionedConfig(), description="containerd's config.toml, and its version."
    )
    cni_plugins: Versioned = Field(
        default=Versioned(),
        alias="cni-plugins",
        description="Version of the CNI plugins (bridge, portmap …).",
    )
    cri_o: Config = Field(default=Config(), alias="cri-o", description="CRI-O's crio.conf.")
    docker: Config = Field(default=Config(), description="Docker's daemon.json.")
    cri_dockerd: Flags = Field(default=Flags(), alias="cri-dockerd", description="Flags of cri-dockerd.")
    kubelet: FlagsAndConfig = Field(
        default=FlagsAndConfig(), description="The KubeletConfiguration, and kubelet's flags for what is not in it."
    )
    kube_proxy: Config = Field(default=Config(), alias="kube-proxy", description="The KubeProxyConfiguration.")

    def versions(self) -> dict[str, str]:
        """component -> the version it is to have in place of the one that goes with Kubernetes."""
        chosen = {
            "etcd": self.etcd.version,
            "containerd": self.containerd.version,
            "cni-plugins": self.cni_plugins.version,
        }
        return {component: version for component, version in chosen.items() if version is not None}

    def as_written(self) -> dict[str, Any]:
        """What the cluster file says, keyed as there, without what it does not say."""
        return self.model_dump(exclude_unset=True)


def all_owned() -> Iterator[tuple[str, str, str, Owned]]:
    """Component, kind (``flags`` or ``config``) and name of every setting that is Kubikk's own."""
    for kind, table in (("flags", _OWNED_FLAGS), ("config", _OWNED_CONFIG)):
        for component, settings in table.items():
            for name, setting in settings.items():
                yield component, kind, name, setting
