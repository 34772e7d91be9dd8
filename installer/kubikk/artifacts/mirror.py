"""The source ``mirror``: a directory or an address with upstream's files under the same relative paths.

A release file lies at ``<host>/<path>`` of its upstream address, an image as a ready OCI archive at
``<registry>/<repository>/<tag>/<arch>.tar``. A file ``<name>.sha256`` beside either says what it must be; without one
the catalogue's checksum counts, then the publisher's list, at its own relative path.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Catalogue, fill
from kubikk.artifacts.locations import Directory, Location, Web, relative_path
from kubikk.artifacts.models import ArtifactFile, ArtifactSettings, Wanted
from kubikk.artifacts.parallel import obtain_each
from kubikk.artifacts.registry import Reference
from kubikk.artifacts.releases import Releases
from kubikk.artifacts.transfer import Transfer
from kubikk.errors import KubikkError
from kubikk.progress import Progress


def image_url(ref: str, arch: str) -> str:
    """The address whose relative path an image has in a mirror."""
    reference = Reference.parse(ref)
    return f"https://{reference.host}/{reference.repository}/{reference.tag}/{arch}.tar"


def obtain(
    wanted: Sequence[Wanted], catalogue: Catalogue, cache: Cache, settings: ArtifactSettings, progress: Progress
) -> dict[Wanted, dict[str, ArtifactFile]]:
    """Takes what is wanted from the mirror and records it in the cache.

    Raises:
        KubikkError: no mirror is set, or the first failure.
    """
    if not settings.mirror:
        raise KubikkError(
            "artifacts.source is mirror, but no mirror is set",
            remedy="set artifacts.mirror to a directory or an https address",
        )
    with Transfer(settings, cache.downloads) as transfer:
        location = _location(settings.mirror, transfer)
        releases = Releases(catalogue, cache, location, "mirror", progress, own_checksums=True)

        def one(each: Wanted) -> dict[str, ArtifactFile]:
            if each.component in catalogue.images:
                ref = fill(catalogue.images[each.component].ref, version=each.version)
                return releases.image_archive(each, image_url(ref, each.arch))
            if image := catalogue.components[each.component].image:
                return releases.component_of_image(each, image_url(fill(image, version=each.version), each.arch))
            return releases.component(each)

        return obtain_each(
            wanted, one, transfer.cancel, origin="mirror", cache=cache, progress=progress, at_a_time=settings.parallel
        )


def _location(mirror: str, transfer: Transfer) -> Location:
    if mirror.startswith(("http://", "https://")):
        return Web(transfer, lambda url: f"{mirror.rstrip('/')}/{relative_path(url)}")
    return Directory(Path(mirror).expanduser())
