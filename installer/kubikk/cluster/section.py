"""What all parts of the cluster file's model share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

REFUSED = "kubikk"
"""Type of the pydantic errors that carry Kubikk's own message and remedy."""


class Section(BaseModel):
    """A mapping in the cluster file: no unknown keys, no silent conversions, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def refuse(message: str, remedy: str = "") -> PydanticCustomError:
    """The error a validator raises.

    Args:
        message: what is wrong and what was expected, without a full stop.
        remedy: what to write instead, one sentence.
    """
    # Handed over as context: braces in a message would otherwise be taken for placeholders.
    return PydanticCustomError(REFUSED, "{message}", {"message": message, "remedy": remedy})


def describe(value: Any) -> str:
    """A value as an operator sees it in the file, short enough for one line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    text = str(value)
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
