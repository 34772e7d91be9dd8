"""Writes the pages that are generated from commands and error codes: ``python -m kubikk.cli.publishing``."""

from __future__ import annotations

from pathlib import Path

from kubikk import error_reference
from kubikk.cli import reference
from kubikk.paths import content_root


def documents() -> dict[str, str]:
    """Text of each generated file, by its path in the checkout."""
    return {"docs/reference/cli.md": reference.reference(), "docs/errors.md": error_reference.reference()}


def publish(root: Path) -> None:
    """Writes the files.

    Args:
        root: of the checkout.
    """
    for relative, text in documents().items():
        (root / relative).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    publish(content_root())
