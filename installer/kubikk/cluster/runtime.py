"""Container runtimes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from kubikk.cluster.section import describe, refuse

_SUPPORTED = ("containerd",)


def _runtime(value: Any) -> Any:
    if value not in _SUPPORTED:
        raise refuse(
            f"the runtime {describe(value)} is not supported by this version of Kubikk; expected containerd",
            "Write containerd, or leave the key out.",
        )
    return value


Runtime = Annotated[Literal["containerd"], BeforeValidator(_runtime)]
