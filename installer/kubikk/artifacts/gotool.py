"""The go program with the environment that all builds share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kubikk.artifacts.commands import Commands
from kubikk.artifacts.models import Arch


@dataclass(frozen=True)
class GoTool:
    """A Go toolchain, set up for one target.

    Where modules come from (GOPROXY, GOPRIVATE, GOFLAGS …) is Go's own configuration and stays as the operator set it.

    Attributes:
        program: the ``go`` program.
        cache: the directory for Go's build and module caches.
        commands: runs it.
        arch: the target.
        compiler: the C compiler; "" for builds without C.
    """

    program: Path
    cache: Path
    commands: Commands
    arch: Arch
    compiler: str = ""

    def with_compiler(self, compiler: str) -> GoTool:
        """The same, but with C."""
        return replace(self, compiler=compiler)

    def run(
        self,
        arguments: Sequence[str],
        *,
        what: str,
        remedy: str = "",
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Runs ``go`` with these arguments; see `Commands.run`."""
        command = [str(self.program), *arguments]
        return self.commands.run(
            command, what=what, remedy=remedy, env=self._environment(), cwd=cwd or self.cache, on_line=on_line
        )

    def _environment(self) -> dict[str, str]:
        self.cache.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "GOCACHE": str(self.cache / "build"),
            "GOMODCACHE": str(self.cache / "mod"),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            "GOOS": "linux",
            "GOARCH": self.arch,
            "CGO_ENABLED": "1" if self.compiler else "0",
        }
        if self.compiler:
            environment["CC"] = self.compiler
        environment.pop("GOROOT", None)  # may belong to another toolchain than the one chosen
        return environment
