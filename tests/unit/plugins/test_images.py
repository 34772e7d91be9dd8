"""Images are imported where a runtime does not have them, and only there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import images

REF = "registry.k8s.io/pause:3.10.2"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Docker's place: it knows what was loaded, and notes each load in the file returned."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f'case "$1" in image) [ ! -e {calls} ] || echo {REF};; load) echo "$2" >>{calls};; *) exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(images, "RECORD", str(tmp_path / "record/images.json"))
    return calls


def image(sha256: str) -> dict[str, Any]:
    files = {"image-pause.tar": {"sha256": sha256}}
    return {"ref": REF, "component": "image-pause", "version": "3.10.2", "files": files}


def test_once_for_each_content(docker: Path) -> None:
    assert images.ensure_images([image("a")], "docker", act=False) == [REF]
    assert not docker.exists()
    assert images.ensure_images([image("a")], "docker", act=True) == [REF]
    assert images.ensure_images([image("a")], "docker", act=True) == []
    assert images.ensure_images([image("b")], "docker", act=True) == [REF]
    archive = "--input=/opt/kubikk/image-pause/3.10.2/image-pause.tar"
    assert docker.read_text().splitlines() == [archive, archive]


def test_a_runtime_that_refuses(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert images.ensure_images([image("a")], "docker", act=False) == [REF]
    with pytest.raises((images.ImageError, FileNotFoundError)):
        images.ensure_images([image("a")], "docker", act=True)


def test_what_crictl_lists() -> None:
    listing = {"images": [{"repoTags": [REF]}, {"repoTags": []}, {"repoTags": ["a:1", "b:2"]}]}
    assert images.tags_of(json.dumps(listing)) == [REF, "a:1", "b:2"]


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("containerd", f"{' '.join(images.CTR)} import --local --digests=false /a.tar"),
        ("cri-o", f"skopeo --insecure-policy copy oci-archive:/a.tar containers-storage:{REF}"),
        ("docker", "docker load --input=/a.tar"),
    ],
)
def test_import_commands(runtime: str, expected: str) -> None:
    assert " ".join(images.STORES[runtime][2]("/a.tar", REF)) == expected
