"""Artifacts and components."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.cluster.checks.draft import Draft, Finding
from kubikk.cluster.components import all_owned


def mirror(draft: Draft) -> Iterator[Finding]:
    """The source ``mirror`` and the key ``mirror`` come together."""
    if not draft.valid("artifacts", "source") or not draft.valid("artifacts", "mirror"):
        return
    source, place = draft.value("artifacts", "source"), draft.given("artifacts", "mirror")
    if source == "mirror" and place is None:
        yield Finding(
            ("artifacts", "source"),
            "the source mirror needs a directory or URL",
            "Add artifacts.mirror, for example mirror: https://mirror.example.com/kubikk.",
        )
    if source != "mirror" and place is not None:
        yield Finding(
            ("artifacts", "mirror"),
            f"the mirror has no effect with source: {source}",
            "Write source: mirror, or remove the key mirror.",
        )


def owned_settings(draft: Draft) -> Iterator[Finding]:
    """Nobody sets what more than one component depends on."""
    for component, kind, name, setting in all_owned():
        location = ("components", component, kind, name)
        if draft.holds(*location):
            yield Finding(location, f"{name} is not free: {setting.reason}", setting.remedy)
