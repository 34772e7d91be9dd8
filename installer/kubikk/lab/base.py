"""The base tree all hosts share as the lower layer of their overlays: built once, kept in the cache."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from filelock import FileLock

from kubikk.errors import KubikkError
from kubikk.lab.commands import environment, last_lines, run
from kubikk.lab.machine import ensure_programs
from kubikk.lab.mounts import remove_tree
from kubikk.lab.recipe import RELEASE, RELEASES, Recipe
from kubikk.lab.sources import archive, debian_sources, read_sources, transfer_settings
from kubikk.lab.state import write_atomically
from kubikk.paths import cache_dir
from kubikk.progress import Progress

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_WORK = "lab: base tree"
# Lines debootstrap writes for this recipe; only the progress bar depends on it.
_STEPS = 856.0


def architecture() -> str:
    """Debian's name of this machine's architecture.

    Raises:
        KubikkError: the lab does not know it.
    """
    found = _ARCHITECTURES.get(platform.machine())
    if found is None:
        raise KubikkError(f"The lab does not run on {platform.machine()}", remedy="Use an amd64 or arm64 machine.")
    return found


def base_tree(release: str = RELEASE) -> Path:
    """Where the tree of a release's present recipe lies, or will lie once it is built."""
    return cache_dir() / "lab" / f"base-{Recipe(architecture(), release).key()}"


def ensure_base(
    progress: Progress,
    release: str = RELEASE,
    *,
    in_use: Iterable[Path] = (),
    etc_apt: Path = Path("/etc/apt"),
) -> Path:
    """Builds the base tree unless it is there.

    The tree is built under another name and renamed, so one that has its name is complete; what an interrupted run
    left is thrown away. Programs missing on the machine are installed first.

    Args:
        progress: told about the steps.
        release: Debian's code name.
        in_use: trees that hosts lie on, to be kept though their recipe is not the present one.
        etc_apt: the machine's apt configuration.

    Returns:
        The tree's directory.

    Raises:
        KubikkError: the machine's apt sources have no Debian archive, or debootstrap fails.
    """
    ensure_programs(progress)
    tree = base_tree(release)
    if tree.is_dir():
        return tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(tree.parent / "base.lock"):
        if tree.is_dir():  # another run built it meanwhile
            return tree
        kept = {*map(base_tree, RELEASES), *in_use}
        for other in tree.parent.glob("base-*"):
            if other.is_dir() and other not in kept:
                remove_tree(other)
        unfinished = tree.with_name(f"{tree.name}.unfinished")
        recipe = Recipe(architecture(), release)
        progress.start(_WORK, _STEPS, "steps")
        _debootstrap(recipe, unfinished, progress, etc_apt)
        try:
            _customise(recipe, unfinished)
            os.sync()
            unfinished.rename(tree)
        except OSError as error:
            raise KubikkError(f"The lab's base tree could not be completed: {error}") from error
        progress.finish(_WORK, str(tree))
    return tree


def _debootstrap(recipe: Recipe, target: Path, progress: Progress, etc_apt: Path) -> None:
    mirror, keyring = archive(debian_sources(read_sources(etc_apt), recipe.release), recipe.release)
    settings = transfer_settings(run(["apt-config", "dump", "Acquire"]))
    # debootstrap fetches with wget, which knows nothing of apt's proxies
    proxies = {f"{scheme}_proxy": settings.get(f"Acquire::{scheme}::Proxy", "") for scheme in ("http", "https")}
    argv = [
        # Everything dies with this process, and mounts made on the way die with the namespace.
        *("setpriv", "--pdeathsig", "KILL"),
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        "debootstrap",
        "--variant=minbase",
        f"--arch={recipe.architecture}",
        f"--include={','.join(recipe.packages)}",
        f"--keyring={keyring}",
        recipe.release,
        str(target),
        mirror,
    ]
    env = environment({scheme: proxy for scheme, proxy in proxies.items() if proxy not in ("", "DIRECT")})
    with subprocess.Popen(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        output = []
        for step, line in enumerate(process.stdout or [], start=1):
            output.append(line)
            progress.advance(_WORK, min(float(step), _STEPS - 1))
    if process.returncode != 0:
        raise KubikkError(
            "debootstrap could not build the lab's base tree",
            cause=last_lines("".join(output)),
            remedy="See whether `apt-get update` works on this machine: its sources and settings are used.",
        )


def _customise(recipe: Recipe, tree: Path) -> None:
    for pattern in recipe.absent:
        # Not with glob(): it takes a literal name that is a dangling link for missing, and absolute links dangle here.
        place, _, name = pattern.lstrip("/").rpartition("/")
        for path in (tree / place).iterdir() if (tree / place).is_dir() else ():
            if fnmatch(path.name, name):
                path.unlink()
    for name, content in recipe.files.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, 0o755 if "/kubikk-lab/" in name else 0o644)
    for name, target in recipe.links.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
