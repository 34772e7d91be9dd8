"""The test image, on every node."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kubikk.artifacts import ArtifactSettings, Wanted, catalogue, resolve
from kubikk.progress import Silent
from tests.cluster.support.access import Access
from tests.cluster.support.description import ClusterHost, Description

_IMAGE = "image-agnhost"
# How each runtime takes an image from an archive.
_IMPORT = {
    "containerd": "ctr -n k8s.io images import {archive}",
    "cri-o": "skopeo --insecure-policy copy oci-archive:{archive} containers-storage:{reference}",
    "docker": "docker load --input {archive}",
}


def import_agnhost(cluster: Description, access: Access, kubernetes: str = "") -> str:
    """Imports agnhost on every node that does not have it; returns its reference.

    The image is taken from the artifact cache, and made first where it is not there.

    Args:
        cluster: whose nodes.
        access: to them.
        kubernetes: the version of Kubernetes whose agnhost it is to be, by default the cluster's.
    """
    version = catalogue.load().versions(kubernetes or f"v{cluster.variables['kubikk_kubernetes_version']}")[_IMAGE]
    architectures = {host.variables["kubikk_host"]["arch"] for host in cluster.nodes}
    wanted = [Wanted(component=_IMAGE, version=version, arch=each) for each in sorted(architectures)]
    artifact = resolve(wanted, ArtifactSettings(source="auto"), Silent()).components[_IMAGE]
    reference = artifact.ref
    assert reference, f"{_IMAGE} has no reference"

    def ensure(host: ClusterHost) -> None:
        if access.succeeds(host.name, f"crictl inspecti -q {reference}"):
            return
        source = artifact.files[host.variables["kubikk_host"]["arch"]][f"{_IMAGE}.tar"].path
        target = f"/var/tmp/{source.name}"
        access.copy(host.name, source, target)
        command = _IMPORT[host.runtime].format(archive=target, reference=reference)
        access.output(host.name, f"{command} && rm {target}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure, cluster.nodes))
    return reference
