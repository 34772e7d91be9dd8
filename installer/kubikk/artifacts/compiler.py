"""The C compiler and libraries that some recipes need."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Collection
from pathlib import Path

from kubikk.artifacts.cache import Cache
from kubikk.artifacts.commands import Commands
from kubikk.artifacts.models import Arch
from kubikk.errors import KubikkError
from kubikk.progress import Progress

_MACHINES: dict[str, Arch] = {"x86_64": "amd64", "aarch64": "arm64"}
_CROSS: dict[Arch, str] = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
_CROSS_PACKAGES: dict[Arch, tuple[str, ...]] = {
    "amd64": ("gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"),
    "arm64": ("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
}
_LIBRARY_PACKAGES = {"libseccomp": "libseccomp-dev"}


def native_arch() -> Arch | None:
    """The architecture of this machine, None if it is neither amd64 nor arm64."""
    return _MACHINES.get(platform.machine())


def require(
    arch: Arch, libraries: Collection[str], *, what: str, cache: Cache, commands: Commands, progress: Progress
) -> str:
    """Makes sure that C programs can be compiled and linked statically; returns the compiler's name.

    On a Debian-like machine, as root, what is missing is installed.

    Args:
        arch: the architecture to compile for.
        libraries: names for pkg-config.
        what: the component, for messages.
        cache: holds the lock that lets one run install at a time.
        commands: runs the package manager.
        progress: told about the installation.

    Raises:
        KubikkError: something is missing and cannot be installed.
    """
    native = arch == native_arch()
    if libraries and not native:
        raise KubikkError(
            f"{what} cannot be built on this machine",
            cause=f"it needs the C library {', '.join(libraries)} for {arch}",
            remedy="take it from upstream or from a mirror, or build on a machine of that architecture",
        )
    compiler = "gcc" if native else _CROSS[arch]
    packages = _missing(compiler, arch, libraries, native, commands)
    if not packages:
        return compiler
    with cache.lock("system-packages", progress):
        packages = _missing(compiler, arch, libraries, native, commands)
        if packages:
            _install(packages, what, commands, progress)
            packages = _missing(compiler, arch, libraries, native, commands)
    if packages:
        raise KubikkError(f"{what} cannot be built: the compiler or libraries are still missing: {' '.join(packages)}")
    return compiler


def _missing(compiler: str, arch: Arch, libraries: Collection[str], native: bool, commands: Commands) -> list[str]:
    packages: list[str] = []
    if not _static_library(compiler, "libc", commands):
        packages += ("gcc", "libc6-dev") if native else _CROSS_PACKAGES[arch]
    if libraries and not shutil.which("pkg-config"):
        packages.append("pkg-config")
    packages += [
        _LIBRARY_PACKAGES[library] for library in libraries if not _static_library(compiler, library, commands)
    ]
    return packages


def _static_library(compiler: str, library: str, commands: Commands) -> bool:
    """Whether the compiler is there and finds the static library."""
    if not shutil.which(compiler):
        return False
    found = commands.run([compiler, f"-print-file-name={library}.a"], what="ask the C compiler for its libraries")
    return Path(found.strip()).is_absolute()


def _install(packages: list[str], what: str, commands: Commands, progress: Progress) -> None:
    listed = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise KubikkError(
            f"{what} cannot be built: this machine lacks {listed}",
            remedy=f"install them (on Debian: apt-get install {listed}), or use another source of artifacts",
        )
    name = "system packages"
    progress.start(name, None, "")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600"]
    install = [*apt, "install", "--no-install-recommends", *packages]
    try:
        commands.run(install, what=f"install {listed}", env=env)
    except KubikkError:
        # The usual reason on a fresh machine: it has no package lists yet, or old ones.
        commands.run([*apt, "update"], what="read the package lists", env=env)
        commands.run(install, what=f"install {listed}", env=env)
    progress.finish(name, listed)
