"""The reference page of the cluster file, made from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubikk.cluster.components import all_owned

_TITLE = """\
# The cluster file

<!-- Generated from installer/kubikk/cluster by `python -m kubikk.cluster.publishing`. -->

One YAML file describes a cluster. Everything but `hosts` has a default. Paths may start with `~`; relative ones
start at the file's directory. `kubikk validate` names every mistake at once, with its line. Editors complete the
file with [cluster.schema.json](../../inventory/cluster.schema.json); whole files are in
[inventory/examples](../../inventory/examples).
"""


_OWNED = """\
## What is not free

Settings that several hosts or components depend on are refused under `components`:

| setting | because |
|---|---|"""


def reference(schema: Mapping[str, Any]) -> str:
    """The page, in Markdown.

    Args:
        schema: of the cluster file.
    """
    owned = [
        f"| `components.{component}.{kind}.{name}` | {setting.reason} |"
        for component, kind, name, setting in all_owned()
    ]
    return "\n".join([_TITLE, *_section(schema, schema, ()), _OWNED, *owned, ""])


def _section(schema: Mapping[str, Any], node: Mapping[str, Any], places: tuple[str, ...]) -> Iterator[str]:
    """A section and those below it.

    Args:
        schema: of the cluster file.
        node: the section's part of it.
        places: where in the file such a section may stand; none for the file as a whole.
    """
    if places:
        yield f"## {_heading(places)}\n"
        yield f"{node['description']}\n"
    below = _below(node, places[0] if places else "")
    yield "| key | values | default | meaning |"
    yield "|---|---|---|---|"
    for name, entry in node["properties"].items():
        inner = _reference(entry)
        default = "required" if name in node.get("required", ()) else _default(entry)
        meaning = entry.get("description") or schema["$defs"][inner]["description"]
        values = f"[below](#{_anchor(_heading(below[inner]))})" if inner else _values(entry)
        yield f"| `{name}` | {values} | {default} | {meaning} |"
    yield ""
    for inner, inner_places in below.items():
        yield from _section(schema, schema["$defs"][inner], inner_places)


def _below(node: Mapping[str, Any], path: str) -> dict[str, tuple[str, ...]]:
    """The sections below one, and where each stands."""
    below: dict[str, tuple[str, ...]] = {}
    for name, entry in node["properties"].items():
        inner = _reference(entry)
        if inner:
            place = (f"{path}.{name}" if path else name) + ("[]" if entry.get("type") == "array" else "")
            below[inner] = (*below.get(inner, ()), place)
    return below


def _reference(entry: Mapping[str, Any]) -> str:
    """Name of the section that a key holds (or may hold), or that its list's entries are; empty for none."""
    alternatives = (choice.get("$ref") for choice in entry.get("anyOf", ()))
    reference: str = entry.get("$ref") or entry.get("items", {}).get("$ref") or next(filter(None, alternatives), "")
    return reference.rpartition("/")[2]


def _heading(places: tuple[str, ...]) -> str:
    return ", ".join(f"`{place}`" for place in places)


def _anchor(heading: str) -> str:
    """How GitHub links to a heading."""
    kept = (character for character in heading.lower() if character.isalnum() or character in "_- ")
    return "".join(kept).replace(" ", "-")


def _default(entry: Mapping[str, Any]) -> str:
    value = entry.get("default")
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _values(entry: Mapping[str, Any]) -> str:
    choices = entry.get("anyOf", [entry])
    choice = next(choice for choice in choices if choice != {"type": "null"})
    words = choice.get("enum") or ([choice["const"]] if "const" in choice else [])
    if words:
        return ", ".join(f"`{word}`" for word in words)
    if choice["type"] == "array":
        return f"list of {_values(choice['items'])}"
    if "minimum" in choice:
        return f"{choice['minimum']} to {choice['maximum']}"
    return {"string": "text", "boolean": "`true`, `false`", "object": "mapping"}[choice["type"]]
