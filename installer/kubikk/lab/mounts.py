"""Overlay mounts of hosts, and getting rid of mounts a killed run left behind."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from kubikk.lab.commands import run, succeeds


def mounts_below(directory: Path) -> list[Path]:
    """Mount points at or below a directory, the deepest and latest first, which is the order to unmount them in."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split(" ")[4]))
        if point == directory or directory in point.parents:
            found.append(point)
    return found[::-1]


def unmount_below(directory: Path) -> None:
    """Unmounts everything at or below a directory; what is busy is detached and goes when its last user goes."""
    for point in mounts_below(directory.resolve()):
        if not succeeds(["umount", str(point)]):
            run(["umount", "--lazy", str(point)])


def remove_tree(directory: Path) -> None:
    """Deletes a directory tree, after unmounting what is mounted in it; nothing happens where there is none.

    Nothing mounted is ever deleted from: a mount that cannot be undone raises KubikkError before any deletion.
    """
    if directory.exists():
        unmount_below(directory)
        shutil.rmtree(directory)


def mount_overlay(name: str, lower: Path, upper: Path, work: Path, point: Path) -> None:
    """Mounts an overlay unless it is mounted.

    Args:
        name: what the mount table shows as its device.
        lower: the read-only tree below.
        upper: receives all changes; on a file system that is no overlay itself.
        work: overlayfs's own directory, beside ``upper``.
        point: where the result appears.
    """
    if os.path.ismount(point):
        return
    options = ",".join(
        f"{option}={_escape(path)}" for option, path in (("lowerdir", lower), ("upperdir", upper), ("workdir", work))
    )
    run(["mount", "-t", "overlay", name, "-o", options, str(point)])


def _escape(path: Path) -> str:
    """Quotes what overlayfs takes for separators in its options."""
    return re.sub(r"([\\:,])", r"\\\1", str(path))
