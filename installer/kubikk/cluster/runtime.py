"""Container runtimes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from kubikk.cluster.section import describe, refuse

RUNTIMES = ("containerd", "cri-o", "docker")


def _runtime(value: Any) -> Any:
    if value not in RUNTIMES:
        raise refuse(
            f"the runtime {describe(value)} is not supported; expected containerd, cri-o or docker",
            "Write one of them, or leave the key out.",
        )
    return value


Runtime = Annotated[Literal["containerd", "cri-o", "docker"], BeforeValidator(_runtime)]
