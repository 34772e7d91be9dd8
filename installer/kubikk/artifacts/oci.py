"""Assembles container images as OCI archives, the same bytes for the same content.

Format: OCI image specification 1.1 (image layout in a tar). A ``manifest.json`` beside it makes the archive one that
``docker load`` takes too. Layers are not compressed: what zlib produces differs between its versions.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file, directory or symbolic link of an image's root.

    Attributes:
        path: without a leading slash.
        content: bytes, or a file to read them from; None for a directory.
        link: the target of a symbolic link; "" for none.
        mode: permission bits.
        uid: owner and group.
        capabilities: file capabilities, as the kernel's ``security.capability`` attribute has them.
    """

    path: str
    content: bytes | Path | None = None
    link: str = ""
    mode: int = 0o755
    uid: int = 0
    capabilities: bytes = b""


@dataclass(frozen=True)
class ImageConfig:
    """What an image says about running it.

    Attributes:
        entrypoint: program and arguments.
        command: further arguments, which a container may replace.
        user: user, or user and group, by number.
        environment: variables.
        directory: working directory.
        created: RFC 3339.
    """

    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    created: str = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Blob:
    """A blob of an OCI layout: in memory or in a file.

    Attributes:
        digest: sha256, hexadecimal.
        size: bytes.
        content: the bytes, or the file that holds them.
    """

    digest: str
    size: int
    content: bytes | Path

    @classmethod
    def of(cls, content: bytes) -> Blob:
        """A blob in memory."""
        return cls(hashlib.sha256(content).hexdigest(), len(content), content)

    @classmethod
    def of_file(cls, path: Path) -> Blob:
        """A blob in a file."""
        with path.open("rb") as file:
            return cls(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size, path)

    def descriptor(self, media_type: str) -> dict[str, Any]:
        """What refers to the blob in a manifest or an index."""
        return {"mediaType": media_type, "digest": f"sha256:{self.digest}", "size": self.size}


def write_layer(entries: Sequence[Entry], path: Path) -> None:
    """Writes a layer; the entries in the given order, parents first."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path)
            info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.uid
            if entry.capabilities:
                info.pax_headers = {"SCHILY.xattr.security.capability": entry.capabilities.decode("latin-1")}
            if entry.link:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
                archive.addfile(info)
            elif entry.content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                _add(archive, info, entry.content)


def write_image(path: Path, ref: str, arch: str, layer: Path, config: ImageConfig) -> None:
    """Writes an image of one layer as an archive.

    Args:
        path: the archive to write.
        ref: the name it is imported under.
        arch: Go's name of the architecture.
        layer: the layer's tar, uncompressed.
        config: how the image is run.
    """
    layer_blob = Blob.of_file(layer)
    document = {
        "architecture": arch,
        "os": "linux",
        "created": config.created,
        "config": {
            "User": config.user,
            "Env": [f"{name}={value}" for name, value in sorted(config.environment.items())],
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.command),
            "WorkingDir": config.directory,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_blob.digest}"]},
        "history": [{"created": config.created, "created_by": "kubikk"}],
    }
    config_blob = Blob.of(_json(document))
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config_blob.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer_blob.descriptor("application/vnd.oci.image.layer.v1.tar")],
    }
    write_archive(
        path,
        ref,
        arch,
        manifest=Blob.of(_json(manifest)),
        media_type=str(manifest["mediaType"]),
        config=config_blob,
        layers=[layer_blob],
    )


def write_archive(
    path: Path, ref: str, arch: str, *, manifest: Blob, media_type: str, config: Blob, layers: Sequence[Blob]
) -> None:
    """Writes an OCI archive of ready blobs.

    Args:
        path: the archive to write.
        ref: the name it is imported under.
        arch: Go's name of the architecture.
        manifest: the image's manifest.
        media_type: the manifest's.
        config: the blob it names as its configuration.
        layers: the blobs it names as layers, in order.
    """
    descriptor = manifest.descriptor(media_type) | {
        "platform": {"architecture": arch, "os": "linux"},
        # containerd reads the first, skopeo and podman the second.
        "annotations": {"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref},
    }
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [descriptor]}
    docker = [{"Config": _member(config), "RepoTags": [ref], "Layers": [_member(layer) for layer in layers]}]
    blobs = {_member(blob): blob.content for blob in (config, manifest, *layers)}
    members: dict[str, bytes | Path] = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        "index.json": _json(index),
        "manifest.json": _json(docker),
        **dict(sorted(blobs.items())),
    }
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for directory in ("blobs", "blobs/sha256"):
            info = tarfile.TarInfo(directory)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.mode = 0o644
            _add(archive, info, content)


def _member(blob: Blob) -> str:
    return f"blobs/sha256/{blob.digest}"


def _add(archive: tarfile.TarFile, info: tarfile.TarInfo, content: bytes | Path) -> None:
    if isinstance(content, bytes):
        info.size = len(content)
        stream: IO[bytes] = io.BytesIO(content)
        archive.addfile(info, stream)
        return
    info.size = content.stat().st_size
    with content.open("rb", buffering=_BLOCK) as stream:
        archive.addfile(info, stream)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
