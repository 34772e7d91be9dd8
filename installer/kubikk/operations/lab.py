"""``lab up``: hosts on this machine, and the very same ``up`` as for servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubikk import artifacts
from kubikk.cluster import versions
from kubikk.lab import Lab
from kubikk.lab.recipe import RELEASE
from kubikk.operations.apply import up
from kubikk.operations.run import RunOptions, RunResult
from kubikk.operations.workspace import Workspace, open_workspace
from kubikk.progress import Progress


def boot(lab: Lab, root: Path, *, control_planes: int, workers: int, release: str = RELEASE) -> Path:
    """Boots a lab's hosts and installs nothing on them.

    Args:
        lab: the lab.
        root: directory below which ``inventory/<lab>`` lies.
        control_planes: number of control-plane hosts.
        workers: number of workers.
        release: Debian's code name, for new hosts.

    Returns:
        The cluster file.

    Raises:
        KubikkError: this machine cannot host it.
    """
    lab.up(control_planes, workers, release)
    return lab.write_cluster_file(root / "inventory" / lab.name)


def lab_up(
    lab: Lab,
    root: Path,
    progress: Progress,
    options: RunOptions,
    *,
    control_planes: int,
    workers: int,
    release: str = RELEASE,
) -> tuple[Workspace, RunResult]:
    """Boots a lab's hosts while artifacts are obtained, then brings the cluster up on them.

    Args:
        lab: the lab.
        root: directory below which ``inventory/<lab>`` lies.
        progress: told what is made, downloaded and built.
        options: what the operator says about the run.
        control_planes: number of control-plane hosts.
        workers: number of workers.
        release: Debian's code name, for new hosts.

    Raises:
        KubikkError: this machine cannot host it, or one of the steps failed.
    """
    # Compiling takes minutes, and so may the base tree: side by side. A failure is told when both have ended.
    with ThreadPoolExecutor(max_workers=2) as pool:
        hosts = pool.submit(boot, lab, root, control_planes=control_planes, workers=workers, release=release)
        warm = pool.submit(_warm_cache, progress)
    file = hosts.result()
    warm.result()
    workspace = open_workspace(file)
    return workspace, up(workspace, progress, options)


def _warm_cache(progress: Progress) -> None:
    """Obtains what a lab's cluster needs by default, and the image that the cluster tests run."""
    wanted = artifacts.wanted_for(versions.DEFAULT, ["amd64"], with_test_images=True)
    artifacts.resolve(wanted, artifacts.ArtifactSettings(source="auto"), progress)
