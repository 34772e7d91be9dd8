"""Image archives: what is in them, and that they are the same every time."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from kubikk.artifacts import images


def content(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        streams = {member.name: tar.extractfile(member) for member in tar if member.isreg()}
        return {name: stream.read() for name, stream in streams.items() if stream}


def build(directory: Path) -> bytes:
    directory.mkdir()
    program = directory / "program"
    program.write_bytes(b"ELF" * 1000)
    entries, config = images.coredns(program)
    archive = directory / "image-coredns.tar"
    images.assemble(
        entries, config, ref="registry.k8s.io/coredns/coredns:v1", arch="amd64", work=directory, archive=archive
    )
    return archive.read_bytes()


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    return build(tmp_path / "first")


def test_same_bytes_every_time(archive: bytes, tmp_path: Path) -> None:
    assert build(tmp_path / "second") == archive


def test_layout(archive: bytes) -> None:
    files = content(archive)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files["index.json"])["manifests"]
    name = "registry.k8s.io/coredns/coredns:v1"
    assert entry["annotations"] == {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    for path, blob in files.items():
        if path.startswith("blobs/"):
            assert path.rsplit("/", 1)[1] == hashlib.sha256(blob).hexdigest()
    manifest = json.loads(files[f"blobs/sha256/{entry['digest'].removeprefix('sha256:')}"])
    config = json.loads(files[f"blobs/sha256/{manifest['config']['digest'].removeprefix('sha256:')}"])
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    assert config["config"]["Entrypoint"] == ["/coredns"]
    assert config["config"]["User"] == "65532:65532"
    (docker,) = json.loads(files["manifest.json"])
    assert docker["RepoTags"] == [name]
    assert set(docker["Layers"]) | {docker["Config"]} <= set(files)


def test_coredns_may_bind_its_port(archive: bytes) -> None:
    files = content(archive)
    (entry,) = json.loads(files["manifest.json"])
    with tarfile.open(fileobj=io.BytesIO(files[entry["Layers"][0]])) as layer:
        member = layer.getmember("coredns")
        assert member.mode == 0o755
        capabilities = member.pax_headers["SCHILY.xattr.security.capability"].encode("latin-1")
        assert layer.getmember("tmp").mode == 0o1777
    # revision 2, effective; bit 10 is CAP_NET_BIND_SERVICE
    assert int.from_bytes(capabilities[:4], "little") == 0x02000001
    assert int.from_bytes(capabilities[4:8], "little") == 1 << 10


def test_test_image_has_a_shell(tmp_path: Path) -> None:
    for name in ("agnhost", "busybox", "localhost.crt"):
        (tmp_path / name).write_bytes(name.encode())
    entries, config = images.agnhost(
        tmp_path / "agnhost",
        {"localhost.crt": tmp_path / "localhost.crt"},
        tmp_path / "busybox",
        ["sh", "cat", "busybox"],
    )
    links = {entry.path: entry.link for entry in entries if entry.link}
    assert links == {"bin/cat": "busybox", "bin/sh": "busybox", "agnhost-2": "agnhost"}
    assert (list(config.entrypoint), list(config.command)) == (["/agnhost"], ["pause"])
