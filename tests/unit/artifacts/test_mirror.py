"""The source mirror: a directory, and an address, with upstream's relative paths."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kubikk.artifacts import ArtifactSettings, Wanted, resolve
from kubikk.artifacts.oci import Entry, ImageConfig, write_image, write_layer
from kubikk.errors import KubikkError
from kubikk.progress import Silent

from .conftest import Site

KUBELET = Wanted(component="kubelet", version="1.36.3", arch="amd64")
KUBELET_PATH = "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet"
PAUSE = Wanted(component="image-pause", version="3.10.2", arch="amd64")
PAUSE_PATH = "registry.k8s.io/pause/3.10.2/amd64.tar"


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def lay(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def from_directory(tmp_path: Path) -> ArtifactSettings:
    (tmp_path / "mirror").mkdir(exist_ok=True)
    return ArtifactSettings(source="mirror", mirror=str(tmp_path / "mirror"), cache=tmp_path / "cache")


def test_directory_with_own_builds(tmp_path: Path) -> None:
    files = {KUBELET_PATH: b"own kubelet", PAUSE_PATH: b"own image"}
    lay(tmp_path / "mirror", files | {f"{name}.sha256": sha256(content) for name, content in files.items()})
    resolved = resolve([KUBELET, PAUSE], from_directory(tmp_path), Silent())
    assert resolved.components["kubelet"].files["amd64"]["kubelet"].path.read_bytes() == b"own kubelet"
    assert resolved.components["image-pause"].files["amd64"]["image-pause.tar"].path.read_bytes() == b"own image"
    assert (tmp_path / "mirror" / KUBELET_PATH).exists()


def test_program_in_an_image(tmp_path: Path) -> None:
    wanted = Wanted(component="aws-cloud-controller-manager", version="1.37.0", arch="amd64")
    layer, archive = tmp_path / "layer", tmp_path / "image.tar"
    write_layer([Entry("bin"), Entry("bin/aws-cloud-controller-manager", b"program")], layer)
    write_image(archive, "x:1", "amd64", layer, ImageConfig(["/x"]))
    path = "registry.k8s.io/provider-aws/cloud-controller-manager/v1.37.0/amd64.tar"
    lay(tmp_path / "mirror", {path: archive.read_bytes(), f"{path}.sha256": sha256(archive.read_bytes())})
    resolved = resolve([wanted], from_directory(tmp_path), Silent())
    files = resolved.components["aws-cloud-controller-manager"].files["amd64"]
    assert files["aws-cloud-controller-manager"].path.read_bytes() == b"program"


def test_address(site: Site, tmp_path: Path) -> None:
    site.files = {f"/m/{KUBELET_PATH}": b"k", f"/m/{KUBELET_PATH}.sha256": sha256(b"k")}
    settings = ArtifactSettings(source="mirror", mirror=f"{site.address}/m/", cache=tmp_path / "cache", backoff=0)
    resolved = resolve([KUBELET], settings, Silent())
    assert resolved.components["kubelet"].files["amd64"]["kubelet"].path.read_bytes() == b"k"


@pytest.mark.parametrize(
    ("wanted", "files", "message"),
    [
        pytest.param(KUBELET, {KUBELET_PATH: b"k"}, "refused", id="not what the catalogue pins"),
        pytest.param(
            KUBELET, {KUBELET_PATH: b"k", f"{KUBELET_PATH}.sha256": b"?"}, "no sha256", id="unreadable checksum"
        ),
        pytest.param(KUBELET, {}, "has no file", id="missing"),
        pytest.param(PAUSE, {PAUSE_PATH: b"p"}, "no checksum", id="image without checksum"),
    ],
)
def test_clear_errors(tmp_path: Path, wanted: Wanted, files: dict[str, bytes], message: str) -> None:
    lay(tmp_path / "mirror", files)
    with pytest.raises(KubikkError, match=message) as raised:
        resolve([wanted], from_directory(tmp_path), Silent())
    assert raised.value.remedy or message == "no sha256"


@pytest.mark.parametrize("mirror", [None, "/nonexistent/mirror"])
def test_no_such_mirror(tmp_path: Path, mirror: str | None) -> None:
    with pytest.raises(KubikkError, match="mirror"):
        resolve([KUBELET], ArtifactSettings(source="mirror", mirror=mirror, cache=tmp_path), Silent())
