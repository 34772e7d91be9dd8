"""Compiles Go packages and reports how far it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubikk.artifacts.catalogue import Recipe, fill
from kubikk.artifacts.gomodule import Module
from kubikk.artifacts.gotool import GoTool

_PACKAGE_LINE = re.compile(r"[a-zA-Z0-9][\w.~+-]*(/[\w.~+-]+)*")
_LINKING_SHARE = 0.05


@dataclass(frozen=True)
class Inputs:
    """What `prepare` found out about a build.

    Attributes:
        packages: how many packages it consists of.
        stale: how many of them have to be compiled.
    """

    packages: int
    stale: int


def output_name(package: str) -> str:
    """The name ``go build -o <directory>/`` gives a package's program."""
    *_, parent, last = ["", *package.split("/")]
    return parent if re.fullmatch(r"v\d+", last) else last


def flags(recipe: Recipe, module: Module, version: str) -> list[str]:
    """The build flags of a recipe.

    Args:
        recipe: the recipe.
        module: the module whose commit and date are written into the program.
        version: the component's version, without a leading v.
    """
    linker = ["-s", "-w"]
    for variable, pattern in sorted(recipe.variables.items()):
        linker += ["-X", f"{variable}={fill(pattern, version=version, commit=module.commit, date=module.date)}"]
    if recipe.cgo:
        linker += ["-linkmode", "external", "-extldflags", "-static"]
    result = ["-mod=mod", "-modcacherw", "-trimpath", f"-ldflags={' '.join(linker)}"]
    return [*result, f"-tags={','.join(recipe.tags)}"] if recipe.tags else result


def prepare(go: GoTool, build_flags: Sequence[str], packages: Sequence[str], directory: Path, what: str) -> Inputs:
    """Downloads the modules that the packages need and finds out how much is to be compiled.

    Args:
        go: the toolchain.
        build_flags: as for `compile_packages`.
        packages: import paths.
        directory: holds the go.mod.
        what: the component, for messages.

    Raises:
        KubikkError: a module cannot be had.
    """
    output = go.run(
        ["list", "-deps", *build_flags, "-f", "{{.Stale}}", *packages],
        what=f"download the Go modules that {what} needs",
        remedy="check that the Go module proxy is reachable (go env GOPROXY)",
        cwd=directory,
    )
    lines = output.split()
    return Inputs(packages=len(lines), stale=lines.count("true"))


def compile_packages(
    go: GoTool,
    build_flags: Sequence[str],
    packages: Sequence[str],
    directory: Path,
    *,
    output: Path,
    inputs: Inputs,
    what: str,
    report: Callable[[float], None],
) -> None:
    """Compiles main packages into programs.

    Args:
        go: the toolchain.
        build_flags: from `flags`.
        packages: import paths of the main packages.
        directory: holds the go.mod.
        output: existing directory for the programs; named as `output_name` says.
        inputs: from `prepare`.
        what: the component, for messages.
        report: called with the share that is done, 0 to 1.

    Raises:
        KubikkError: the compiler fails.
    """
    done = inputs.packages - inputs.stale

    def on_line(line: str) -> None:
        nonlocal done
        if _PACKAGE_LINE.fullmatch(line):
            done = min(done + 1, inputs.packages)
            report(done / inputs.packages * (1 - _LINKING_SHARE))

    report(done / inputs.packages * (1 - _LINKING_SHARE))
    go.run(
        ["build", "-v", *build_flags, "-o", f"{output}/", *packages],
        what=f"build {what}",
        cwd=directory,
        on_line=on_line,
    )
