"""Everything a run needs on the control node: artifacts, certificates, inventory, kubeconfig."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kubikk import artifacts, inventory, pki
from kubikk.cluster import Cluster
from kubikk.cluster.cloud import OWN_PROGRAM
from kubikk.operations.workspace import Workspace
from kubikk.progress import Progress


def wanted(cluster: Cluster) -> list[artifacts.Wanted]:
    """The artifacts that a cluster needs.

    Raises:
        KubikkError: the catalogue has none of that name or version.
    """
    return artifacts.wanted_for(
        cluster.kubernetes.version,
        cluster.archs,
        runtimes={host.runtime or cluster.runtime for host in cluster.cluster_hosts},
        network_plugin=cluster.network.plugin,
        addons=cluster.addons.model_dump(),
        cloud=cluster.cloud.provider,
        others=cluster.components.versions(),
    )


def obtain_artifacts(cluster: Cluster, progress: Progress) -> artifacts.ResolvedArtifacts:
    """Finds the cluster's artifacts in the cache or gets them from their source.

    Args:
        cluster: the cluster.
        progress: told what is downloaded and built.

    Raises:
        KubikkError: one cannot be had.
    """
    settings = artifacts.ArtifactSettings(source=cluster.artifacts.source, mirror=cluster.artifacts.mirror)
    found = artifacts.resolve(wanted(cluster), settings, progress)
    if program := cluster.cloud.program:
        archs = {host.arch for host in cluster.control_plane_hosts}
        own = artifacts.OwnProgram(OWN_PROGRAM, program.source, program.sha256)
        found.components[OWN_PROGRAM] = artifacts.obtain_own(own, archs, settings, progress)
    return found


def prepare(workspace: Workspace, progress: Progress) -> list[Path]:
    """Brings ``inventory/<name>`` up to date; returns the files that changed.

    Args:
        workspace: the cluster and its directory.
        progress: told what is downloaded and built, and what is issued.

    Raises:
        KubikkError: an artifact cannot be had, or the directory cannot be used.
    """
    found = obtain_artifacts(workspace.cluster, progress)
    issued = pki.ensure(workspace.cluster, workspace.pki, now=datetime.now(UTC))
    for warning in issued.warnings:
        progress.log(f"warning: {warning}")
    for entry in issued.reissued:
        progress.log(f"certificate {entry.path} is issued again: {entry.reason}")
    changed = inventory.build(workspace.cluster, found.variables()).write(workspace.directory)
    if pki.write_kubeconfig(workspace.cluster, workspace.pki, workspace.kubeconfig):
        changed.append(workspace.kubeconfig)
    return changed
