"""Packages of which one of several will do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import packages

ENGINE = "docker-ce | docker.io"


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (set(), [ENGINE, "socat"]),
        ({"docker.io"}, ["socat"]),
        ({"docker-ce", "socat"}, []),
        ({"docker"}, [ENGINE, "socat"]),
    ],
)
def test_absent(monkeypatch: pytest.MonkeyPatch, installed: set[str], expected: list[str]) -> None:
    monkeypatch.setattr(packages, "_installed", lambda names: installed & set(names))
    assert packages.absent([ENGINE, "socat"]) == expected


@pytest.mark.parametrize(
    ("package", "known", "expected"),
    [
        (ENGINE, {"docker-ce", "docker.io"}, "docker-ce"),
        (ENGINE, {"docker.io"}, "docker.io"),
        # What no repository has is left to the package manager to complain of.
        (ENGINE, set(), "docker.io"),
        ("socat", set(), "socat"),
    ],
)
def test_choose(package: str, known: set[str], expected: str) -> None:
    assert packages.choose(package, known.__contains__) == expected


def test_a_proxy_is_for_the_package_manager_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "dnf"
    program.write_text(f'#!/bin/sh\necho "$HTTPS_PROXY $https_proxy $*" >> {tmp_path}/ran\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nonexistent")
    monkeypatch.setattr(packages.shutil, "which", lambda name: str(program) if name == "dnf" else None)
    packages.install(["socat"], {"HTTPS_PROXY": "http://proxy:3128"})
    arguments = "--assumeyes --setopt=install_weak_deps=False install socat"
    assert (tmp_path / "ran").read_text() == f"http://proxy:3128 http://proxy:3128 {arguments}\n"
    assert "https_proxy" not in os.environ or os.environ["https_proxy"] != "http://proxy:3128"
