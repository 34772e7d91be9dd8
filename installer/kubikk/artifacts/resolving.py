"""`resolve`: finds every wanted artifact, in the cache or from its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubikk.artifacts import build, mirror, upstream
from kubikk.artifacts import catalogue as catalogues
from kubikk.artifacts.cache import Cache, sha256_of
from kubikk.artifacts.catalogue import Catalogue, fill
from kubikk.artifacts.models import Artifact, ArtifactFile, ArtifactSettings, Origin, ResolvedArtifacts, Wanted
from kubikk.errors import KubikkError
from kubikk.progress import Progress

Files = dict[str, ArtifactFile]

# Source -> what in the cache satisfies it, in order of preference.
_ORIGINS: Mapping[str, tuple[Origin, ...]] = {
    "upstream": ("upstream",),
    "mirror": ("mirror",),
    "build": ("build",),
    "auto": ("upstream", "build"),
}


def resolve(wanted: Sequence[Wanted], settings: ArtifactSettings, progress: Progress) -> ResolvedArtifacts:
    """Returns every wanted artifact's files, obtaining what the cache does not have.

    Args:
        wanted: for example from `wanted_for`; each component in one version.
        settings: the source and the cache.
        progress: told bytes of downloads and seconds of builds.

    Raises:
        KubikkError: something cannot be had, or is not what was published; what was obtained so far stays cached.
    """
    catalogue = catalogues.load()
    cache = Cache(settings.cache)
    for each in wanted:
        catalogue.check(each.component)
    found = {each: files for each in wanted if (files := _cached(each, settings, catalogue, cache)) is not None}
    missing = [each for each in dict.fromkeys(wanted) if each not in found]
    if missing:
        found |= _obtain(missing, settings, catalogue, cache, progress)
    return _collect({each: found[each] for each in wanted}, catalogue)


def verify(resolved: ResolvedArtifacts) -> list[str]:
    """Reads all files in full; returns one line for each that is missing or is not what its sha256 says."""
    wrong = []
    for component, artifact in sorted(resolved.components.items()):
        for arch, files in sorted(artifact.files.items()):
            for name, file in sorted(files.items()):
                if not file.path.is_file():
                    wrong.append(f"{component} {arch} {name}: {file.path} is missing")
                elif sha256_of(file.path) != file.sha256:
                    wrong.append(f"{component} {arch} {name}: {file.path} was changed")
    return wrong


def _cached(each: Wanted, settings: ArtifactSettings, catalogue: Catalogue, cache: Cache) -> Files | None:
    for origin in _ORIGINS[settings.source]:
        recipe = build.fingerprint(catalogue, each) if origin == "build" else ""
        files = cache.lookup(each, origin, recipe)
        if files is not None:
            return files
    return None


def _obtain(
    missing: Sequence[Wanted], settings: ArtifactSettings, catalogue: Catalogue, cache: Cache, progress: Progress
) -> dict[Wanted, Files]:
    source = settings.source
    if source == "auto":
        source = "upstream" if upstream.is_reachable(settings) else "build"
        progress.log(
            f"artifacts: {'from upstream' if source == 'upstream' else 'built here, upstream is out of reach'}"
        )
    try:
        if source == "build":
            return build.Builder(catalogue, cache, progress).obtain(missing)
        obtain = mirror.obtain if source == "mirror" else upstream.obtain
        return obtain(missing, catalogue, cache, settings, progress)
    except OSError as error:
        raise KubikkError(
            f"the artifact cache {settings.cache} cannot be used",
            cause=str(error),
            remedy="make room there or see to its permissions; $KUBIKK_CACHE names another place",
        ) from error


def _collect(found: Mapping[Wanted, Files], catalogue: Catalogue) -> ResolvedArtifacts:
    result = ResolvedArtifacts()
    for each, files in found.items():
        image = catalogue.images.get(each.component)
        ref = fill(image.ref, version=each.version) if image else None
        artifact = result.components.setdefault(each.component, Artifact(version=each.version, ref=ref))
        if artifact.version != each.version:
            raise KubikkError(f"{each.component} is wanted in two versions: {artifact.version} and {each.version}")
        artifact.files[each.arch] = files
    return result
