"""Which artifacts a cluster needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kubikk.artifacts import catalogue
from kubikk.artifacts.models import Arch, Wanted
from kubikk.errors import KubikkError

_ALWAYS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "etcd",
    "cni-plugins",
    "crictl",
    "image-pause",
)
_RUNTIMES: Mapping[str, tuple[str, ...]] = {
    "containerd": ("containerd", "runc"),
    "cri-o": ("cri-o", "runc"),
    "docker": ("cri-dockerd",),
}
_NETWORKS: Mapping[str, tuple[str, ...]] = {"flannel": ("flannel",), "none": ()}
_ADDONS: Mapping[str, tuple[str, ...]] = {"coredns": ("image-coredns",), "metrics_server": ("image-metrics-server",)}
_CLOUDS: Mapping[str, tuple[str, ...]] = {"none": (), "external": (), "aws": ("aws-cloud-controller-manager",)}
_TEST_IMAGES = ("image-agnhost",)


def wanted_for(
    kubernetes_version: str,
    archs: Collection[Arch],
    *,
    runtimes: Collection[str] = ("containerd",),
    network_plugin: str = "flannel",
    addons: Mapping[str, bool] | None = None,
    cloud: str = "none",
    others: Mapping[str, str] | None = None,
    with_test_images: bool = False,
) -> list[Wanted]:
    """What a cluster needs, in the catalogue's versions.

    Args:
        kubernetes_version: for example ``v1.37.2``.
        archs: the architectures of the hosts.
        runtimes: the container runtimes in use.
        network_plugin: ``flannel`` or ``none``.
        addons: name -> switched on; by default all.
        cloud: the provider of the cloud: ``none``, ``external`` (the operator's own program) or ``aws``.
        others: component -> the version to take in place of the one that goes with Kubernetes.
        with_test_images: also the images that only tests use.

    Raises:
        KubikkError: the version, runtime, plugin or addon is not in the catalogue.
    """
    known = catalogue.load()
    versions = {**known.versions(kubernetes_version), **(others or {})}
    for component, version in (others or {}).items():
        if version not in known.known(component):
            raise KubikkError(
                f"there is no {component} {version} in the catalogue of artifacts",
                remedy=f"choose one of {', '.join(known.known(component))}, or leave that setting out",
            )
    names = list(_ALWAYS)
    for runtime in sorted(runtimes):
        names += _lookup(_RUNTIMES, runtime, "container runtime")
    names += _lookup(_NETWORKS, network_plugin, "network plugin")
    for addon, enabled in sorted((addons if addons is not None else dict.fromkeys(_ADDONS, True)).items()):
        names += _lookup(_ADDONS, addon, "addon") if enabled else ()
    names += _lookup(_CLOUDS, cloud, "cloud provider")
    names += _TEST_IMAGES if with_test_images else ()
    return [Wanted(component=name, version=versions[name], arch=arch) for name in names for arch in sorted(set(archs))]


def _lookup(table: Mapping[str, tuple[str, ...]], name: str, kind: str) -> tuple[str, ...]:
    if name not in table:
        raise KubikkError(f"there are no artifacts for the {kind} {name}", remedy=f"use one of {', '.join(table)}")
    return table[name]
