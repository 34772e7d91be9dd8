"""The models as a tree: which keys a place in the cluster file has, and what stands below them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic.fields import FieldInfo

from kubikk.cluster.document import Location
from kubikk.cluster.section import Section


def keys(model: type[Section]) -> dict[str, FieldInfo]:
    """A model's fields by the names they have in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def nested(field: FieldInfo) -> type[Section] | None:
    """The model of a field that holds one, of a list of them too; None for plain values."""
    return next(_sections(field.annotation), None)


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _sections(argument)


def model_at(model: type[Section], location: Location) -> type[Section] | None:
    """The model of the mapping at a location, or None where keys are free."""
    current: type[Section] | None = model
    for part in location:
        if isinstance(part, int):
            continue
        field = keys(current).get(part) if current else None
        current = nested(field) if field else None
    return current
