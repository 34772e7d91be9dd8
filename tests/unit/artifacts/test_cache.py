"""The cache trusts what is unchanged, notices what is not, and lets one run at a time obtain a thing."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from kubikk.artifacts import Artifact, ArtifactFile, ResolvedArtifacts, Wanted, verify
from kubikk.artifacts.cache import Cache, write_atomically
from kubikk.errors import KubikkError
from kubikk.progress import Silent

from .conftest import Recorder

RUNC = Wanted(component="runc", version="1.5.2", arch="amd64")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def put(cache: Cache, content: bytes = b"runc", recipe: str = "r1") -> ArtifactFile:
    with cache.workspace("runc") as work:
        (work / "built").write_bytes(content)
        file = cache.add(work / "built", "runc", executable=True)
    cache.record(RUNC, "build", {"runc": file}, recipe=recipe, provenance={})
    return file


def test_finds_what_was_recorded(cache: Cache) -> None:
    file = put(cache)
    assert cache.lookup(RUNC, "build", "r1") == {"runc": file}
    assert file.path.name == "runc"
    assert file.path.parent.name == file.sha256


def test_another_recipe_origin_or_architecture_is_another_thing(cache: Cache) -> None:
    put(cache)
    assert cache.lookup(RUNC, "build", "r2") is None
    assert cache.lookup(RUNC, "upstream") is None
    assert cache.lookup(RUNC.model_copy(update={"arch": "arm64"}), "build", "r1") is None


def test_changed_or_missing_files_are_obtained_again(cache: Cache) -> None:
    file = put(cache)
    os.utime(file.path, ns=(1, 1))
    assert cache.lookup(RUNC, "build", "r1") is None
    put(cache)
    file.path.unlink()
    assert cache.lookup(RUNC, "build", "r1") is None


def test_damaged_index_is_as_good_as_none(cache: Cache) -> None:
    put(cache)
    (entry,) = cache.directory.rglob("amd64.json")
    entry.write_text('{"files": ')
    assert cache.lookup(RUNC, "build", "r1") is None


def test_verify_reads_the_content(cache: Cache) -> None:
    file = put(cache)
    resolved = ResolvedArtifacts(components={"runc": Artifact(version="1.5.2", files={"amd64": {"runc": file}})})
    assert (cache.verify(), verify(resolved)) == ([], [])
    file.path.write_bytes(b"rucn")
    assert len(verify(resolved)) == 1
    assert cache.verify() == [file.path]
    assert "missing" in verify(resolved)[0]


def test_workspace_starts_empty_and_leaves_nothing(cache: Cache) -> None:
    left = cache.directory / "artifacts" / "work" / "runc" / "killed"
    left.mkdir(parents=True)
    with cache.workspace("runc") as work:
        assert not left.exists()
        (work / "half").write_bytes(b"x")
    assert not work.parent.exists()


def test_second_run_waits_and_says_so(cache: Cache, progress: Recorder) -> None:
    events: list[str] = []

    def second() -> None:
        with cache.lock("runc", progress):
            events.append("second")

    with cache.lock("runc", Silent()):
        thread = threading.Thread(target=second)
        thread.start()
        deadline = time.monotonic() + 5
        while not progress.lines and time.monotonic() < deadline:
            time.sleep(0.005)
        events.append("first")
    thread.join()
    assert events == ["first", "second"]
    assert "waiting" in progress.lines[0]


def test_waiting_can_be_given_up(cache: Cache, progress: Recorder) -> None:
    other = Cache(cache.directory)
    with cache.lock("runc", Silent()):
        other.give_up()
        with pytest.raises(KubikkError, match="given up"), other.lock("runc", progress):
            pass


def test_write_atomically_leaves_the_old_content_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_variables_are_the_inventorys() -> None:
    file = ArtifactFile(path=Path("/c/p"), sha256="ab", size=3)
    artifact = Artifact(
        version="3.10.2", ref="registry.k8s.io/pause:3.10.2", files={"amd64": {"image-pause.tar": file}}
    )
    assert ResolvedArtifacts(components={"image-pause": artifact}).variables() == {
        "image-pause": {
            "version": "3.10.2",
            "ref": "registry.k8s.io/pause:3.10.2",
            "amd64": {"files": {"image-pause.tar": {"path": "/c/p", "sha256": "ab", "size": 3}}},
        }
    }
