"""What is wanted, and where it was found: the two ends of `resolve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kubikk import paths

Arch = Literal["amd64", "arm64"]
Source = Literal["upstream", "mirror", "build", "auto"]
Origin = Literal["upstream", "mirror", "build"]


class Wanted(BaseModel):
    """One component of one version for one architecture.

    Attributes:
        component: a name of the catalogue, for example ``etcd`` or ``image-pause``.
        version: without a leading v, for example ``3.7.3``.
        arch: Go's name of the architecture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    component: str
    version: str
    arch: Arch

    def __str__(self) -> str:
        return f"{self.component} {self.version} {self.arch}"


class ArtifactFile(BaseModel):
    """A file in the cache.

    Attributes:
        path: where it is.
        sha256: of its content, hexadecimal.
        size: bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
    size: int


class Artifact(BaseModel):
    """A component with its files, by architecture.

    Attributes:
        version: without a leading v.
        ref: the image's reference; None where the component is not an image.
        files: architecture -> file name -> file.
    """

    model_config = ConfigDict(extra="forbid")

    version: str
    ref: str | None = None
    files: dict[Arch, dict[str, ArtifactFile]] = Field(default_factory=dict)


class ResolvedArtifacts(BaseModel):
    """Everything that was wanted, by component."""

    model_config = ConfigDict(extra="forbid")

    components: dict[str, Artifact] = Field(default_factory=dict)

    def variables(self) -> dict[str, Any]:
        """The value of the inventory variable ``kubikk_artifacts``: plain data, keys sorted.

        ``{component: {version, ref (images only), <arch>: {files: {<name>: {path, sha256, size}}}}}``
        """
        result: dict[str, Any] = {}
        for name, artifact in sorted(self.components.items()):
            entry: dict[str, Any] = {"version": artifact.version}
            if artifact.ref is not None:
                entry["ref"] = artifact.ref
            for arch, files in sorted(artifact.files.items()):
                entry[arch] = {
                    "files": {
                        file_name: {"path": str(file.path), "sha256": file.sha256, "size": file.size}
                        for file_name, file in sorted(files.items())
                    }
                }
            result[name] = entry
        return result


class ArtifactSettings(BaseModel):
    """Where artifacts come from and where they are kept.

    Attributes:
        source: as in the cluster file.
        mirror: directory or base URL, for the source ``mirror``.
        cache: the directory of the cache.
        addresses: replaces the beginning of upstream addresses, for example
            ``{"https://dl.k8s.io": "https://files.example.org/dl.k8s.io"}``.
        attempts: how often a download is tried before it counts as failed.
        backoff: seconds before the second attempt; doubled for each further one, at most 30.
        connect_timeout: seconds; also how long ``auto`` waits for upstream to answer.
        read_timeout: seconds without a byte after which a download counts as broken off.
        parallel: downloads at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source = "auto"
    mirror: str | None = None
    cache: Path = Field(default_factory=paths.cache_dir)
    addresses: dict[str, str] = Field(default_factory=dict)
    attempts: int = Field(default=5, ge=1)
    backoff: float = Field(default=1.0, ge=0)
    connect_timeout: float = Field(default=4.0, gt=0)
    read_timeout: float = Field(default=30.0, gt=0)
    parallel: int = Field(default=4, ge=1)
