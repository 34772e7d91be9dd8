"""Release binaries and container images: which a cluster needs, where they come from, where they are kept."""

from kubikk.artifacts.models import Artifact, ArtifactFile, ArtifactSettings, ResolvedArtifacts, Wanted
from kubikk.artifacts.own import OwnProgram, obtain_own
from kubikk.artifacts.resolving import resolve, verify
from kubikk.artifacts.selection import wanted_for

__all__ = [
    "Artifact",
    "ArtifactFile",
    "ArtifactSettings",
    "OwnProgram",
    "ResolvedArtifacts",
    "Wanted",
    "obtain_own",
    "resolve",
    "verify",
    "wanted_for",
]
