"""Paths in the cluster file: ``~`` is the user's home, relative ones start at the cluster file's directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from kubikk.cluster.section import describe, refuse

DIRECTORY = "directory"
"""Key of the validation context that holds the cluster file's directory."""


def resolve(text: str, info: ValidationInfo) -> Path:
    """The absolute path a text in the cluster file means.

    Raises:
        PydanticCustomError: ``~name`` names no user, or the text is no path.
    """
    if "\0" in text:
        raise refuse("a path has a NUL character in it", "Remove it.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise refuse(f"{describe(text)} names the home of no user known here", "Write the whole path.") from error
    directory = (info.context or {}).get(DIRECTORY)
    return (Path(directory) if directory else Path.cwd()) / path


def unreachable(path: Path, error: OSError) -> PydanticCustomError:
    """The error for a path that cannot even be looked at, because of permissions or its length."""
    why = (error.strerror or str(error)).lower()
    return refuse(f"{describe(str(path))} cannot be looked at: {why}", "Name a path that you may read.")


def _ssh_path(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value:
        return value
    path = resolve(value, info)
    if any(character in str(path) for character in '"%\n\r'):
        # ssh takes percent signs for placeholders, and has no way to write a quote in a path.
        message = f"{describe(str(path))} has a quote, percent sign or line break in it; ssh takes no such path"
        raise refuse(message, "Rename the file.")
    return path


def _key_file(path: Path) -> Path:
    remedy = "Create it with ssh-keygen, or name another; without this key, ssh uses its agent and usual keys."
    try:
        present = path.is_file()
    except OSError as error:
        raise unreachable(path, error) from error
    if not present:
        raise refuse(f"there is no file {path}; expected a private SSH key", remedy)
    if path.suffix == ".pub":
        raise refuse(f"{path} is a public key; expected the private one", f"Write {path.with_suffix('')}.")
    return path


_PATH_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})

FilePath = Annotated[Path, BeforeValidator(_ssh_path), _PATH_SCHEMA]
"""A path that may be missing."""

KeyFile = Annotated[Path, BeforeValidator(_ssh_path), AfterValidator(_key_file), _PATH_SCHEMA]
"""A private SSH key, which has to be there."""
