"""The source ``upstream``: the projects' own download addresses and registries."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Catalogue, fill
from kubikk.artifacts.locations import Web, rewrite
from kubikk.artifacts.models import ArtifactFile, ArtifactSettings, Wanted
from kubikk.artifacts.parallel import obtain_each
from kubikk.artifacts.registry import Registry
from kubikk.artifacts.releases import Releases, lock_name, members, unpack_image
from kubikk.artifacts.transfer import Transfer
from kubikk.progress import Progress

_PROBE = "https://dl.k8s.io/release/stable.txt"


def is_reachable(settings: ArtifactSettings) -> bool:
    """Whether upstream answers soon. A portal or a proxy that answers in its place does not count."""
    url = rewrite(_PROBE, settings.addresses)
    try:
        response = httpx.get(url, follow_redirects=True, timeout=settings.connect_timeout)
    except httpx.HTTPError:
        return False
    return response.status_code == 200 and response.text.startswith("v")


def obtain(
    wanted: Sequence[Wanted], catalogue: Catalogue, cache: Cache, settings: ArtifactSettings, progress: Progress
) -> dict[Wanted, dict[str, ArtifactFile]]:
    """Downloads what is wanted, several at a time, and records it in the cache.

    Raises:
        KubikkError: the first failure; all other downloads are given up, to be resumed next time.
    """

    def address(url: str) -> str:
        return rewrite(url, settings.addresses)

    with Transfer(settings, cache.downloads) as transfer:
        releases = Releases(catalogue, cache, Web(transfer, address), "upstream", progress)
        registry = Registry(transfer, address)

        def one(each: Wanted) -> dict[str, ArtifactFile]:
            if each.component in catalogue.images or catalogue.components[each.component].image:
                return _pull(each, catalogue, cache, registry, progress)
            return releases.component(each)

        return obtain_each(
            wanted,
            one,
            transfer.cancel,
            origin="upstream",
            cache=cache,
            progress=progress,
            at_a_time=settings.parallel,
        )


def _pull(
    wanted: Wanted, catalogue: Catalogue, cache: Cache, registry: Registry, progress: Progress
) -> dict[str, ArtifactFile]:
    component = catalogue.components.get(wanted.component)
    ref = fill(component.image if component else catalogue.images[wanted.component].ref, version=wanted.version)
    bar = f"pull {ref} ({wanted.arch})"
    started = False

    def report(done: int, total: int | None) -> None:
        nonlocal started
        if not started:
            started = True
            progress.start(bar, total, "bytes")
        progress.advance(bar, done)

    with cache.workspace(lock_name(wanted)) as work:
        archive = work / f"{wanted.component}.tar"
        digest = registry.pull(ref, wanted.arch, work, archive, report)
        if component:
            programs = unpack_image(archive, members(component, wanted), work)
            files = {name: cache.add(path, name, executable=True) for name, path in programs.items()}
        else:
            files = {archive.name: cache.add(archive, archive.name, executable=False)}
    cache.record(wanted, "upstream", files, provenance={"ref": ref, "digest": digest})
    progress.finish(bar)
    return files
