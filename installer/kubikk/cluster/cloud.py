"""The cloud whose machines the hosts are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core.core_schema import ValidationInfo

from kubikk.cluster.files import resolve, unreachable
from kubikk.cluster.section import Section, describe, refuse

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PROVIDER_ID = re.compile(r"[a-z][a-z0-9.+-]*://\S+")
_FOR_OTHERS = 0o077


def _present(path: Path, expected: str) -> bool:
    try:
        present = path.is_file()
    except OSError as error:
        raise unreachable(path, error) from error
    if not present:
        raise refuse(f"there is no file {path}; expected {expected}", "Write it, or name another.")
    return True


def _secret_file(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or not value:
        return value
    path = resolve(value, info)
    _present(path, "settings or credentials of the cloud")
    mode = path.stat().st_mode & 0o777
    if mode & _FOR_OTHERS:
        raise refuse(f"{path} is open to other users of this machine (mode {mode:04o})", f"Run chmod 600 {path}.")
    return path


def _source(text: str, info: ValidationInfo) -> str:
    if text.startswith("https://"):
        return text
    if "://" in text:
        raise refuse(f"{describe(text)} is neither an https URL nor a file", "Write one of these.")
    path = resolve(text, info)
    _present(path, "a program")
    return str(path)


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise refuse(f"{describe(text)} is no sha256; expected 64 of 0-9 and a-f", "Write what sha256sum prints.")
    return text


def _provider_id(text: str) -> str:
    if not _PROVIDER_ID.fullmatch(text):
        raise refuse(
            f"{describe(text)} is no provider ID; expected the cloud's name, ://, and what it calls the machine",
            "Write for example aws:///eu-west-1a/i-0123456789abcdef0.",
        )
    return text


SecretFile = Annotated[Path, BeforeValidator(_secret_file), WithJsonSchema({"type": "string", "minLength": 1})]
"""A file on this machine that nobody else may read."""

ProviderId = Annotated[str, AfterValidator(_provider_id)]


class Program(Section):
    """A cloud-controller-manager that is not one of Kubikk's own."""

    source: Annotated[str, AfterValidator(_source)] = Field(
        description="The program, for the control-plane hosts' architecture: a file on this machine, or an https URL."
    )
    sha256: Annotated[str, AfterValidator(_sha256)] = Field(description="Its sha256.")


class Cloud(Section):
    """The cloud whose machines the hosts are."""

    provider: Literal["none", "external", "aws"] = Field(
        default="none",
        description="none: no cloud. aws: AWS's cloud-controller-manager runs on the control plane. "
        "external: `program` does; without one, you bring the provider's own manifests, "
        "and new nodes take no pods until these have initialised them.",
    )
    program: Program | None = Field(
        default=None, description="The provider's cloud-controller-manager, for `provider: external`."
    )
    config: SecretFile | None = Field(
        default=None, description="The provider's configuration file (`--cloud-config`), closed to others (0600)."
    )
    environment: SecretFile | None = Field(
        default=None,
        description="File of `NAME=value` lines that the program gets as its environment: credentials; closed to "
        "others (0600).",
    )

    @property
    def is_external(self) -> bool:
        """Whether nodes wait for a cloud-controller-manager, whoever runs it."""
        return self.provider != "none"

    @property
    def artifact(self) -> str:
        """The artifact that is run on the control plane; "" for none."""
        if self.provider == "aws":
            return "aws-cloud-controller-manager"
        return OWN_PROGRAM if self.program else ""


OWN_PROGRAM = "cloud-controller-manager"
"""Name of the artifact that the operator brings."""
