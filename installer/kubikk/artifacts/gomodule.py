"""Prepares a directory in which the packages of published Go modules can be built.

A module's own ``replace`` and ``godebug`` directives count only where it is the main module, so the directory gets a
go.mod that repeats them, requires the modules, and starts from their go.sum.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from kubikk.artifacts.catalogue import Recipe
from kubikk.artifacts.gotool import GoTool
from kubikk.errors import KubikkError

_WRAPPER = "kubikk.invalid/build"


@dataclass(frozen=True)
class Module:
    """A module in the module cache.

    Attributes:
        path: its name.
        version: with a leading v.
        directory: its source, read-only.
        commit: of the release, or "unknown": not every module proxy tells.
        date: of the release, RFC 3339.
    """

    path: str
    version: str
    directory: Path
    commit: str
    date: str


def download(go: GoTool, path: str, version: str) -> Module:
    """Brings a module into the module cache.

    Args:
        go: the toolchain.
        path: the module's name.
        version: with a leading v.

    Raises:
        KubikkError: it cannot be had.
    """
    output = go.run(
        ["mod", "download", "-modcacherw", "-json", f"{path}@{version}"],
        what=f"download the Go module {path} {version}",
        remedy="check that the Go module proxy is reachable (go env GOPROXY)",
    )
    described = json.loads(output)
    info = json.loads(Path(described["Info"]).read_text())
    return Module(
        path=path,
        version=version,
        directory=Path(described["Dir"]),
        commit=info.get("Origin", {}).get("Hash") or "unknown",
        date=info["Time"],
    )


def wrap(go: GoTool, recipe: Recipe, modules: Sequence[Module], directory: Path) -> None:
    """Writes go.mod and go.sum into an empty directory, such that the modules' packages build there.

    Args:
        go: the toolchain.
        recipe: says what the modules' replace directives mean.
        modules: already downloaded.
        directory: the empty directory.
    """
    descriptions = [_describe(go, module.directory / "go.mod") for module in modules]
    (directory / "go.mod").write_text(go_mod(recipe, modules, descriptions))
    sums = {
        line
        for module in modules
        if (module.directory / "go.sum").exists()
        for line in (module.directory / "go.sum").read_text().splitlines()
    }
    (directory / "go.sum").write_text("".join(f"{line}\n" for line in sorted(sums)))


def go_mod(recipe: Recipe, modules: Sequence[Module], descriptions: Sequence[dict[str, Any]]) -> str:
    """The content of the go.mod that stands in for the modules' own.

    Args:
        recipe: says what the modules' replace directives mean.
        modules: the modules.
        descriptions: for each, what ``go mod edit -json`` says of its go.mod.
    """
    lines = [f"module {_WRAPPER}", f"go {max((each['Go'] for each in descriptions), key=Version)}"]
    for description in descriptions:
        lines += [f"godebug {each['Key']}={each['Value']}" for each in description.get("Godebug") or ()]
    lines += [f"require {module.path} {module.version}" for module in modules]
    for module, description in zip(modules, descriptions, strict=True):
        for replace in description.get("Replace") or ():
            lines += _published(recipe, module, replace)
    return "\n".join(lines) + "\n"


def _published(recipe: Recipe, module: Module, replace: dict[str, Any]) -> list[str]:
    """The directive for a wrapper go.mod that means the same as a module's own replace directive."""
    old, new = replace["Old"]["Path"], replace["New"]
    if new.get("Version"):
        return [f"replace {old} => {new['Path']} {new['Version']}"]
    if recipe.staging:
        # A directory inside the module's repository, published as a module of its own: v1.37.2 -> v0.37.2.
        return [f"replace {old} => {old} v0.{module.version.removeprefix('v').split('.', 1)[1]}"]
    # A sibling in the same repository (etcd): published with the same version; the module's own requirements name it.
    return []


def writable_copy(go: GoTool, recipe: Recipe, module: Module, directory: Path) -> None:
    """Copies a module's source into an empty directory, without the parts that the recipe leaves out.

    Raises:
        KubikkError: a part to be left out is not there: the recipe does not fit this version.
    """
    shutil.copytree(module.directory, directory, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if recipe.without is None:
        return
    for package in recipe.without.packages:
        if not (directory / package).is_dir():
            raise KubikkError(f"{module.path} {module.version} has no directory {package}: the recipe does not fit it")
        shutil.rmtree(directory / package)
    imports = [f'"{module.path}/{package}"' for package in recipe.without.packages]
    for source in directory.rglob("*.go"):
        lines = source.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not any(each in line for each in imports)]
        if len(kept) != len(lines):
            source.write_text("".join(kept))
    drop = [f"-droprequire={each}" for each in recipe.without.modules]
    go.run(["mod", "edit", *drop], what=f"edit the go.mod of {module.path}", cwd=directory)


def _describe(go: GoTool, path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(go.run(["mod", "edit", "-json", str(path)], what=f"read {path}"))
    return result
