"""A static busybox from the distribution, for the test image."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from kubikk.artifacts import compiler
from kubikk.artifacts.commands import Commands
from kubikk.artifacts.models import Arch
from kubikk.errors import KubikkError

_PACKAGE = "busybox-static"


def obtain(arch: Arch, work: Path, commands: Commands) -> tuple[Path, list[str]]:
    """Downloads Debian's package, without installing it; returns the program and the commands it stands for.

    Args:
        arch: must be this machine's.
        work: an empty directory.
        commands: runs apt.

    Raises:
        KubikkError: not a Debian-like machine, another architecture, or no package source.
    """
    if arch != compiler.native_arch() or not shutil.which("apt-get"):
        raise KubikkError(
            f"the test image for {arch} cannot be built on this machine",
            cause=f"its shell comes from the Debian package {_PACKAGE} of that architecture",
            remedy="take the image from upstream or from a mirror",
        )
    apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
    fetch = [*apt, "download", _PACKAGE]
    try:
        commands.run(fetch, what=f"download {_PACKAGE}", cwd=work)
    except KubikkError:
        # A fresh machine has no package lists yet.
        commands.run([*apt, "-o", "APT::Get::Lock::Timeout=600", "update"], what="read the package lists")
        commands.run(fetch, what=f"download {_PACKAGE}", cwd=work)
    package = next(work.glob(f"{_PACKAGE}_*.deb"))
    tree = work / "package.tar"
    commands.run(
        ["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" > "$2"', "sh", str(package), str(tree)],
        what=f"unpack {package.name}",
    )
    program = work / "busybox"
    with tarfile.open(tree) as archive:
        member = next(each for each in archive if each.name.removeprefix("./") in ("bin/busybox", "usr/bin/busybox"))
        content = archive.extractfile(member)
        if content is None:
            raise KubikkError(f"{package.name} holds no program busybox")
        program.write_bytes(content.read())
    program.chmod(0o755)
    applets = commands.run([str(program), "--list"], what="list busybox's commands").split()
    return program, applets
