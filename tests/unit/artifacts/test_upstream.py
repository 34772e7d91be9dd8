"""The source upstream against a server that is slow, breaks off, serves other files or fails."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from kubikk.artifacts import ArtifactSettings, Wanted, resolve, verify
from kubikk.errors import KubikkError
from kubikk.progress import Silent

from .conftest import Recorder, Site

SCHEDULER = Wanted(component="kube-scheduler", version="1.37.2", arch="amd64")
PATH = "/dl.k8s.io/release/v1.37.2/bin/linux/amd64/kube-scheduler"
CONTENT = bytes(range(256)) * 4096


def publish(site: Site, content: bytes = CONTENT) -> None:
    site.files[PATH] = content
    site.files[f"{PATH}.sha256"] = hashlib.sha256(CONTENT).hexdigest().encode()


def tarball(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def only_file(settings: ArtifactSettings, wanted: Wanted = SCHEDULER) -> Path:
    resolved = resolve([wanted], settings, Silent())
    assert verify(resolved) == []
    return resolved.components[wanted.component].files[wanted.arch][wanted.component].path


def partial_files(settings: ArtifactSettings) -> list[Path]:
    return list((settings.cache / "artifacts" / "downloads").glob("*"))


@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        pytest.param([], True, id="normal"),
        pytest.param(["slow"], True, id="slow"),
        pytest.param(["truncate"], True, id="resumed"),
        pytest.param(["truncate", "truncate", "truncate", "truncate"], True, id="resumed again and again"),
        pytest.param(["truncate"], False, id="truncated, server without ranges"),
        pytest.param(["500", "503"], True, id="fails twice"),
        pytest.param(["hang-up", "429"], True, id="hangs up"),
    ],
)
def test_arrives_in_the_end(
    site: Site, settings: ArtifactSettings, progress: Recorder, faults: list[str], ranges: bool
) -> None:
    publish(site)
    site.ranges = ranges
    site.faults[PATH] = list(faults)
    resolved = resolve([SCHEDULER], settings, progress)
    file = resolved.components["kube-scheduler"].files["amd64"]["kube-scheduler"]
    assert file.path.read_bytes() == CONTENT
    assert file.path.stat().st_mode & 0o777 == 0o755
    assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert len(site.asked(PATH)) == len([fault for fault in faults if fault != "slow"]) + 1
    assert partial_files(settings) == []
    assert ("download kube-scheduler 1.37.2 amd64", len(CONTENT), "bytes") in progress.started
    assert progress.done["download kube-scheduler 1.37.2 amd64"][-1] == len(CONTENT)


def test_continues_where_it_broke_off(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    site.faults[PATH] = ["truncate"]
    only_file(settings)
    assert [request.headers.get("Range") for request in site.asked(PATH)] == [None, f"bytes={len(CONTENT) // 2}-"]


def test_next_run_continues_too(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    site.faults[PATH] = ["truncate", "500", "500", "500"]
    with pytest.raises(KubikkError):
        only_file(settings)
    assert only_file(settings).read_bytes() == CONTENT
    assert site.asked(PATH)[-1].headers["Range"] == f"bytes={len(CONTENT) // 2}-"


def test_damaged_remains_of_an_earlier_run_are_thrown_away(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    site.faults[PATH] = ["truncate", "500", "500", "500"]
    with pytest.raises(KubikkError):
        only_file(settings)
    (partial,) = partial_files(settings)
    partial.write_bytes(b"x" * partial.stat().st_size)
    assert only_file(settings).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "faults", "message", "cause"),
    [
        pytest.param(b"other" * 100, [], "refused", "sha256 expected", id="corrupted"),
        pytest.param(CONTENT, ["500"] * 9, "could not download", "500 Internal Server Error (3 attempts)", id="500"),
        pytest.param(CONTENT, ["403"] * 9, "could not download", "403 Forbidden", id="403"),
        pytest.param(None, [], "does not exist", None, id="404"),
    ],
)
def test_clear_errors(
    site: Site, settings: ArtifactSettings, *, content: bytes | None, faults: list[str], message: str, cause: str | None
) -> None:
    publish(site, content or b"")
    if content is None:
        del site.files[PATH]
    site.faults[PATH] = faults
    with pytest.raises(KubikkError, match=message) as raised:
        only_file(settings)
    assert PATH in raised.value.message
    assert cause is None or cause in str(raised.value.cause)
    assert not list((settings.cache / "artifacts" / "index").rglob("*.json"))


def test_stalled_server_counts_as_broken_off(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    site.faults[PATH] = ["stall"]
    assert only_file(settings.model_copy(update={"read_timeout": 0.2})).read_bytes() == CONTENT
    assert site.asked(PATH)[-1].headers["Range"] == f"bytes={len(CONTENT) // 2}-"


def test_server_out_of_reach(settings: ArtifactSettings) -> None:
    quick = settings.model_copy(update={"addresses": {"https://dl.k8s.io": "http://127.0.0.1:9"}, "attempts": 2})
    began = time.monotonic()
    with pytest.raises(KubikkError, match="could not download") as raised:
        only_file(quick)
    assert "127.0.0.1:9" in str(raised.value.remedy)
    assert time.monotonic() - began < 5


def test_pinned_checksum_is_not_overruled(site: Site, settings: ArtifactSettings) -> None:
    wanted = Wanted(component="kubelet", version="1.36.3", arch="amd64")
    path = "/dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet"
    site.files[path] = CONTENT
    site.files[f"{path}.sha256"] = hashlib.sha256(CONTENT).hexdigest().encode()
    with pytest.raises(KubikkError, match="refused") as raised:
        only_file(settings, wanted)
    assert "46707a53209f" in str(raised.value.cause)
    assert site.asked(f"{path}.sha256") == []


def test_without_a_published_checksum_it_is_refused(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    del site.files[f"{PATH}.sha256"]
    with pytest.raises(KubikkError, match="no checksum"):
        only_file(settings)
    assert site.asked(PATH) == []


def test_found_checksum_is_recorded_and_a_later_change_refused(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    path = only_file(settings)
    record = json.loads((settings.cache / "artifacts" / "published-checksums.json").read_text())
    assert record == {f"{site.address}{PATH}": hashlib.sha256(CONTENT).hexdigest()}
    path.unlink()
    site.files[PATH] = b"new"
    site.files[f"{PATH}.sha256"] = hashlib.sha256(b"new").hexdigest().encode()
    with pytest.raises(KubikkError, match="has changed"):
        only_file(settings)


def test_checksum_over_plain_http_is_not_believed(settings: ArtifactSettings) -> None:
    plain = settings.model_copy(update={"addresses": {"https://dl.k8s.io": "http://files.example.invalid"}})
    with pytest.raises(KubikkError, match="no checksum") as raised:
        only_file(plain)
    assert "over TLS" in str(raised.value.cause)


def test_archives_are_unpacked_to_their_programs(site: Site, settings: ArtifactSettings) -> None:
    base = "/github.com/etcd-io/etcd/releases/download/v3.7.3"
    top = "etcd-v3.7.3-linux-amd64"
    programs = {name: name.encode() * 10 for name in ("etcd", "etcdctl", "etcdutl")}
    archive = tarball({f"{top}/{name}": content for name, content in programs.items()} | {f"{top}/README": b"-"})
    site.files[f"{base}/{top}.tar.gz"] = archive
    sums = f"{'0' * 64}  etcd-v3.7.3-linux-arm64.tar.gz\n{hashlib.sha256(archive).hexdigest()}  {top}.tar.gz\n"
    site.files[f"{base}/SHA256SUMS"] = sums.encode()
    resolved = resolve([Wanted(component="etcd", version="3.7.3", arch="amd64")], settings, Silent())
    files = resolved.components["etcd"].files["amd64"]
    assert {name: file.path.read_bytes() for name, file in files.items()} == programs


def test_archive_without_a_program_is_refused(site: Site, settings: ArtifactSettings) -> None:
    base = "/github.com/containerd/containerd/releases/download/v2.4.2/containerd-2.4.2-linux-amd64.tar.gz"
    site.files[base] = tarball({"bin/containerd": b"c", "bin/ctr": b"c"})
    site.files[f"{base}.sha256sum"] = hashlib.sha256(site.files[base]).hexdigest().encode()
    with pytest.raises(KubikkError, match="lacks containerd-shim-runc-v2"):
        resolve([Wanted(component="containerd", version="2.4.2", arch="amd64")], settings, Silent())


def test_from_the_cache_nothing_is_asked(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    only_file(settings)
    site.requests.clear()
    only_file(settings)
    assert site.requests == []


def test_one_failure_ends_the_others(site: Site, settings: ArtifactSettings) -> None:
    publish(site)
    site.faults[PATH] = ["404"]
    others = [SCHEDULER.model_copy(update={"component": name}) for name in ("kubectl", "kube-proxy", "kubelet")]
    with pytest.raises(KubikkError, match=r"no checksum|does not exist"):
        resolve([SCHEDULER, *others], settings, Silent())


def oci_digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def publish_image(
    site: Site, repository: str = "pause", tag: str = "3.10.2", layer: bytes = b"layer" * 1000
) -> tuple[bytes, bytes]:
    """A multi-platform image; returns its configuration and its layer."""
    config, layer = b'{"architecture": "arm64"}', gzip.compress(layer, mtime=0)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "c", "digest": oci_digest(config), "size": len(config)},
            "layers": [{"mediaType": "l", "digest": oci_digest(layer), "size": len(layer)}],
        }
    ).encode()
    platforms = [
        {"digest": "sha256:" + "0" * 64, "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": "sha256:" + "1" * 64, "platform": {"os": "windows", "architecture": "arm64"}},
        {"digest": oci_digest(manifest), "platform": {"os": "linux", "architecture": "arm64"}},
    ]
    index = json.dumps({"schemaVersion": 2, "manifests": platforms}).encode()
    base = f"/v2/{repository}"
    site.files |= {
        f"{base}/manifests/{tag}": index,
        f"{base}/manifests/{oci_digest(manifest)}": manifest,
        f"{base}/blobs/{oci_digest(config)}": config,
        f"{base}/blobs/{oci_digest(layer)}": layer,
        "/token": b'{"token": "t0k3n"}',
    }
    site.types |= {
        f"{base}/manifests/{tag}": "application/vnd.oci.image.index.v1+json",
        f"{base}/manifests/{oci_digest(manifest)}": "application/vnd.docker.distribution.manifest.v2+json",
    }
    return config, layer


PAUSE = Wanted(component="image-pause", version="3.10.2", arch="arm64")


def test_pulls_an_image(site: Site, settings: ArtifactSettings) -> None:
    config, layer = publish_image(site)
    site.token = "t0k3n"
    site.faults[f"/v2/pause/blobs/{oci_digest(layer)}"] = ["", "truncate", "500"]
    resolved = resolve([PAUSE], settings, Silent())
    artifact = resolved.components["image-pause"]
    assert artifact.ref == "registry.k8s.io/pause:3.10.2"
    with tarfile.open(artifact.files["arm64"]["image-pause.tar"].path) as archive:
        members = {member.name: archive.extractfile(member) for member in archive if member.isreg()}
        content = {name: stream.read() for name, stream in members.items() if stream}
    assert content[f"blobs/sha256/{hashlib.sha256(layer).hexdigest()}"] == layer
    assert content[f"blobs/sha256/{hashlib.sha256(config).hexdigest()}"] == config
    (entry,) = json.loads(content["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "registry.k8s.io/pause:3.10.2"
    assert entry["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert entry["digest"].removeprefix("sha256:") == hashlib.sha256(content[_blob(entry["digest"])]).hexdigest()
    assert any("scope=repository%3Apause%3Apull" in request.path for request in site.requests)


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def test_damaged_layer_is_refused(site: Site, settings: ArtifactSettings) -> None:
    _, layer = publish_image(site)
    site.files[f"/v2/pause/blobs/{oci_digest(layer)}"] = b"other"
    with pytest.raises(KubikkError, match="refused"):
        resolve([PAUSE], settings, Silent())


def test_image_without_the_architecture(site: Site, settings: ArtifactSettings) -> None:
    publish_image(site)
    with pytest.raises(KubikkError, match="no image for linux/amd64"):
        resolve([PAUSE.model_copy(update={"arch": "amd64"})], settings, Silent())


def test_takes_a_program_out_of_an_image(site: Site, settings: ArtifactSettings) -> None:
    name = "aws-cloud-controller-manager"
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        member = tarfile.TarInfo(f"bin/{name}")
        member.size = 7
        archive.addfile(member, io.BytesIO(b"program"))
    publish_image(site, "provider-aws/cloud-controller-manager", "v1.37.0", layer.getvalue())
    wanted = Wanted(component=name, version="1.37.0", arch="arm64")
    artifact = resolve([wanted], settings, Silent()).components[name]
    assert artifact.ref is None
    assert artifact.files["arm64"][name].path.read_bytes() == b"program"
    assert os.access(artifact.files["arm64"][name].path, os.X_OK)


def test_image_without_the_program(site: Site, settings: ArtifactSettings) -> None:
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    publish_image(site, "provider-aws/cloud-controller-manager", "v1.37.0", layer.getvalue())
    wanted = Wanted(component="aws-cloud-controller-manager", version="1.37.0", arch="arm64")
    with pytest.raises(KubikkError, match="lacks aws-cloud-controller-manager"):
        resolve([wanted], settings, Silent())
