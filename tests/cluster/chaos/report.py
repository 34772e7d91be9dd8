"""How many faults there were, and how many were survived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.cluster.chaos.rounds import Outcome


def table(outcomes: list[Outcome], seed: int) -> Iterator[str]:
    """Lines for people."""
    yield f"{'fault':<55} {'when':<24} {'host':<6} {'up':>7} {'exit':>5} {'again':>7}"
    for each in outcomes:
        again = f"{each.recovery:.0f} s" if each.recovery else "-"
        verdict = "" if each.survived else "  NOT SURVIVED"
        yield (
            f"{each.fault:<55} {each.moment:<24} {each.host or '-':<6} {each.seconds:>5.0f} s {each.exit:>5}"
            f" {again:>7}{verdict}"
        )
        if each.said:
            yield f"    it said: {each.said}"
    yield f"{len(outcomes)} faults, {sum(each.survived for each in outcomes)} survived (seed {seed})"


def write(outcomes: list[Outcome], seed: int, file: Path) -> None:
    """The same for programs."""
    content = {
        "seed": seed,
        "faults": len(outcomes),
        "survived": sum(each.survived for each in outcomes),
        "outcomes": [asdict(each) for each in outcomes],
    }
    file.write_text(json.dumps(content, indent=2) + "\n")
