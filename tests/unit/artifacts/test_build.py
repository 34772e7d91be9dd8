"""The source build, with a program in go's place; and the pieces it consists of."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubikk.artifacts import ArtifactSettings, Wanted, build, catalogue, gobuild, resolve, wanted_for
from kubikk.artifacts.catalogue import Recipe
from kubikk.artifacts.gomodule import Module, go_mod
from kubikk.errors import KubikkError
from kubikk.progress import Silent

from .conftest import Recorder

CATALOGUE = catalogue.load()
ETCD = Wanted(component="etcd", version="3.7.3", arch="amd64")
CRICTL = Wanted(component="crictl", version="1.36.0", arch="arm64")
KUBELET = Wanted(component="kubelet", version="1.37.2", arch="amd64")
KUBECTL = KUBELET.model_copy(update={"component": "kubectl"})
COREDNS = Wanted(component="image-coredns", version="1.14.6", arch="amd64")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake's state, with the fake on PATH and a module for every Go recipe that needs no C."""
    state = tmp_path / "state"
    for wanted in (ETCD, CRICTL, KUBELET, COREDNS):
        entry: Any = CATALOGUE.components.get(wanted.component) or CATALOGUE.images[wanted.component]
        for module in CATALOGUE.recipes[entry.recipe].modules:
            directory = state / "modules" / f"{module}@v{wanted.version}"
            directory.mkdir(parents=True)
            (directory / "go.mod").write_text(f"module {module}\ngo 1.26.0\n")
            (directory / "go.sum").write_text(f"{module} v1 h1:x\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    go = programs / "go"
    go.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {Path(__file__).with_name("fake_go.py")} "$@"\n')
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_GO_STATE", str(state))
    monkeypatch.setenv("GOROOT", "/somewhere/else")
    monkeypatch.delenv("GOPROXY", raising=False)
    return state


@pytest.fixture
def settings(tmp_path: Path) -> ArtifactSettings:
    return ArtifactSettings(source="build", cache=tmp_path / "cache")


def calls(state: Path, verb: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (state / "calls.jsonl").read_text().splitlines()]
    return [line for line in lines if line["arguments"][0] == verb]


def test_builds_and_remembers(state: Path, settings: ArtifactSettings, progress: Recorder) -> None:
    resolved = resolve([ETCD, CRICTL], settings, progress)
    etcd = resolved.components["etcd"].files["amd64"]
    assert {name: file.path.read_text() for name, file in etcd.items()} == {
        "etcd": "go.etcd.io/etcd/server/v3 amd64",
        "etcdctl": "go.etcd.io/etcd/etcdctl/v3 amd64",
        "etcdutl": "go.etcd.io/etcd/etcdutl/v3 amd64",
    }
    assert resolved.components["crictl"].files["arm64"]["crictl"].path.read_text().endswith(" arm64")
    assert ("build etcd 3.7.3 (amd64)", CATALOGUE.recipes["etcd"].seconds, "s") in progress.started
    assert progress.done["build etcd 3.7.3 (amd64)"][-1] <= CATALOGUE.recipes["etcd"].seconds
    assert set(progress.finished) == {"build etcd 3.7.3 (amd64)", "build crictl 1.36.0 (arm64)"}
    (state / "calls.jsonl").write_text("")
    assert resolve([ETCD, CRICTL], settings, Silent()) == resolved
    assert (state / "calls.jsonl").read_text() == ""


def test_one_build_for_what_belongs_together(state: Path, settings: ArtifactSettings) -> None:
    resolve([KUBELET, KUBECTL], settings, Silent())
    (call,) = calls(state, "build")
    assert call["arguments"][-2:] == ["k8s.io/kubernetes/cmd/kubectl", "k8s.io/kubernetes/cmd/kubelet"]
    assert call["env"]["CGO_ENABLED"] == "0"
    assert call["env"]["GOCACHE"].startswith(str(settings.cache))
    assert call["env"]["GOMODCACHE"].startswith(str(settings.cache))
    assert not {"GOPROXY", "GOROOT"} & set(call["env"])
    flags = " ".join(call["arguments"])
    assert "-X k8s.io/component-base/version.gitVersion=v1.37.2" in flags
    assert "-X k8s.io/component-base/version.gitMinor=37" in flags
    assert "-trimpath" in flags


def test_image_is_assembled_from_its_binary(state: Path, settings: ArtifactSettings) -> None:
    artifact = resolve([COREDNS], settings, Silent()).components["image-coredns"]
    assert artifact.ref == "registry.k8s.io/coredns/coredns:v1.14.6"
    assert b"github.com/coredns/coredns amd64" in artifact.files["amd64"]["image-coredns.tar"].path.read_bytes()


def test_compiler_error_is_shown_and_nothing_is_left(
    state: Path, settings: ArtifactSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_FAIL", "etcdctl")
    with pytest.raises(KubikkError, match="could not build etcd") as raised:
        resolve([ETCD], settings, Silent())
    assert "syntax error" in str(raised.value.cause)
    root = settings.cache / "artifacts"
    assert not list((root / "work").iterdir())
    assert not (root / "index").exists()
    monkeypatch.delenv("FAKE_GO_FAIL")
    assert resolve([ETCD], settings, Silent()).components["etcd"].files


def test_a_failure_ends_the_other_builds(
    state: Path, settings: ArtifactSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_HANG", "kubelet")
    monkeypatch.setenv("FAKE_GO_FAIL", "crictl")
    began = time.monotonic()
    with pytest.raises(KubikkError, match="could not build crictl"):
        resolve([KUBELET, CRICTL], settings, Silent())
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_run_leaves_no_compiler_behind(
    state: Path, settings: ArtifactSettings, monkeypatch: pytest.MonkeyPatch, signal_number: int
) -> None:
    monkeypatch.setenv("FAKE_GO_HANG", "etcdctl")
    script = (
        "from kubikk.artifacts import *; from kubikk.progress import Silent\n"
        f"resolve([Wanted(component='etcd', version='3.7.3', arch='amd64')],"
        f" ArtifactSettings(source='build', cache={str(settings.cache)!r}), Silent())"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    wait_for((state / "hanging").exists)
    compiler = int((state / "hanging").read_text())
    process.send_signal(signal_number)
    assert process.wait(20) != 0
    wait_for(lambda: not Path(f"/proc/{compiler}").exists())
    assert not (settings.cache / "artifacts" / "index").exists()
    monkeypatch.delenv("FAKE_GO_HANG")
    assert resolve([ETCD], settings, Silent()).components["etcd"].files


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_runs_build_once(state: Path, settings: ArtifactSettings) -> None:
    threads = [threading.Thread(target=resolve, args=([ETCD], settings, Silent())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls(state, "build")) == 1


def test_module_that_cannot_be_had(state: Path, settings: ArtifactSettings) -> None:
    with pytest.raises(KubikkError, match=r"download the Go module sigs\.k8s\.io/cri-tools v9\.9\.9") as raised:
        resolve([CRICTL.model_copy(update={"version": "9.9.9"})], settings, Silent())
    assert "no such module" in str(raised.value.cause)


def test_auto_builds_where_upstream_is_out_of_reach(state: Path, settings: ArtifactSettings) -> None:
    auto = settings.model_copy(update={"source": "auto", "addresses": {"https://dl.k8s.io": "http://127.0.0.1:9"}})
    recorder = Recorder()
    assert resolve([ETCD], auto, recorder).components["etcd"].files
    assert "built here" in recorder.lines[0]


def test_plan_groups_and_starts_with_the_longest() -> None:
    tasks = build.plan(CATALOGUE, wanted_for("v1.37.2", ["amd64"], with_test_images=True))
    assert tasks[0].recipe == "kubernetes"
    assert {each.component for each in tasks[0].wanted} >= {"kubelet", "kube-proxy", "image-agnhost"}
    seconds = [CATALOGUE.recipes[task.recipe].seconds for task in tasks]
    assert seconds == sorted(seconds, reverse=True)
    assert len({task.lock for task in tasks}) == len(tasks)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("go.etcd.io/etcd/server/v3", "server"),
        ("github.com/coredns/coredns", "coredns"),
        ("github.com/containerd/containerd/v2/cmd/ctr", "ctr"),
        ("github.com/x/v2ray", "v2ray"),
    ],
)
def test_output_name(package: str, name: str) -> None:
    assert gobuild.output_name(package) == name


def module(path: str, version: str) -> Module:
    return Module(path, version, Path("/m"), "unknown", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("recipe", "modules", "descriptions", "expected"),
    [
        pytest.param(
            Recipe(modules=["k8s.io/kubernetes"], staging=True, seconds=1),
            [module("k8s.io/kubernetes", "v1.37.2")],
            [
                {
                    "Go": "1.26.0",
                    "Godebug": [{"Key": "default", "Value": "go1.26"}],
                    "Replace": [{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}}],
                }
            ],
            [
                "go 1.26.0",
                "godebug default=go1.26",
                "require k8s.io/kubernetes v1.37.2",
                "replace k8s.io/api => k8s.io/api v0.37.2",
            ],
            id="staging",
        ),
        pytest.param(
            Recipe(modules=["e/server/v3", "e/ctl/v3"], seconds=1),
            [module("e/server/v3", "v3.7.3"), module("e/ctl/v3", "v3.7.3")],
            [{"Go": "1.9", "Replace": [{"Old": {"Path": "e/api"}, "New": {"Path": "../api"}}]}, {"Go": "1.26.1"}],
            ["go 1.26.1", "require e/server/v3 v3.7.3", "require e/ctl/v3 v3.7.3"],
            id="siblings, newest go directive",
        ),
        pytest.param(
            Recipe(modules=["a"], seconds=1),
            [module("a", "v1.0.0")],
            [{"Go": "1.26", "Replace": [{"Old": {"Path": "b"}, "New": {"Path": "c", "Version": "v1.2.3"}}]}],
            ["go 1.26", "require a v1.0.0", "replace b => c v1.2.3"],
            id="replaced by another module",
        ),
    ],
)
def test_go_mod(recipe: Recipe, modules: list[Module], descriptions: list[dict[str, Any]], expected: list[str]) -> None:
    assert go_mod(recipe, modules, descriptions).splitlines()[1:] == expected


def test_fingerprint_follows_the_recipe_but_not_its_estimate() -> None:
    def changed(**values: Any) -> str:
        recipe = CATALOGUE.recipes["etcd"].model_copy(update=values)
        return build.fingerprint(CATALOGUE.model_copy(update={"recipes": {**CATALOGUE.recipes, "etcd": recipe}}), ETCD)

    assert changed(seconds=1) == build.fingerprint(CATALOGUE, ETCD)
    assert changed(tags=["x"]) != build.fingerprint(CATALOGUE, ETCD)
