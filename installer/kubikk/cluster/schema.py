"""The JSON Schema of the cluster file, for editors to complete and check it."""

from __future__ import annotations

from typing import Any

from kubikk.cluster.models import Cluster

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema, without the titles pydantic makes up and without defaults of whole sections."""
    generated = Cluster.model_json_schema(by_alias=True)
    return {"$schema": _DIALECT, "title": "Kubikk cluster file", **_tidy(generated)}


def _tidy(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidy(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _tidy(entry) for name, entry in value.items()} if key in ("properties", "$defs") else _tidy(value)
        for key, value in node.items()
        if key != "title" and not (key == "default" and isinstance(value, dict) and "$ref" in node)
    }
