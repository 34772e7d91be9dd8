"""Writes what is generated from the models into the checkout: ``python -m kubikk.cluster.publishing``."""

from __future__ import annotations

import json
from pathlib import Path

from kubikk.cluster.reference import reference
from kubikk.cluster.schema import schema
from kubikk.paths import content_root


def documents() -> dict[str, str]:
    """Text of each generated file, by its path in the checkout."""
    generated = schema()
    return {
        "inventory/cluster.schema.json": json.dumps(generated, indent=2, ensure_ascii=False) + "\n",
        "docs/reference/cluster-file.md": reference(generated),
    }


def publish(root: Path) -> None:
    """Writes the files.

    Args:
        root: of the checkout.
    """
    for relative, text in documents().items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    publish(content_root())
