"""Where binaries and images come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core.core_schema import ValidationInfo

from kubikk.cluster.files import resolve, unreachable
from kubikk.cluster.section import Section, describe, refuse

_SCHEMES = ("http://", "https://")


def _mirror(text: str, info: ValidationInfo) -> str:
    if text.startswith(_SCHEMES):
        if not text.partition("://")[2].strip("/"):
            raise refuse(f"{describe(text)} names no server", "Write for example https://mirror.example.com/kubikk.")
        return text.rstrip("/")
    if "://" in text:
        raise refuse(f"{describe(text)} is neither an http(s) URL nor a directory", "Write one of these.")
    directory = resolve(text, info)
    try:
        present = directory.is_dir()
    except OSError as error:
        raise unreachable(directory, error) from error
    if not present:
        raise refuse(f"there is no directory {directory}; expected a mirror of artifacts", "Name a directory or a URL.")
    return str(directory)


class Artifacts(Section):
    """Where binaries and images come from."""

    source: Literal["upstream", "mirror", "build", "auto"] = Field(
        default="upstream",
        description="upstream: the projects' own download addresses; mirror: `mirror` below; "
        "build: compiled here from Go modules; auto: upstream where it answers, else build.",
    )
    mirror: Annotated[str, AfterValidator(_mirror)] | None = Field(
        default=None,
        description="Directory or http(s) URL with the same relative paths as upstream; for `source: mirror`.",
    )
