"""What a plan shows of a change."""

from __future__ import annotations

from typing import Any

import pytest

from kubikk.cli.plan_view import changed_lines

UNIT = "ExecStart=/usr/local/bin/x \\\n  --a=1 \\\n  --z=1\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (UNIT, UNIT.replace("--a=1", "--a=2"), ["- --a=1", "+ --a=2"]),
        # A flag behind the last one: that the last one gets a backslash is nothing to show.
        (UNIT, UNIT.replace("--z=1", "--z=1 \\\n  --zz=1"), ["+ --zz=1"]),
        ("", UNIT, []),  # a new file's content is not a difference
        ("-----BEGIN A\n1\n", "-----BEGIN A\n2\n", ["+ another certificate"]),
        ("(secret)\n", "(secret, changed)\n", ["- (secret)", "+ (secret, changed)"]),
        ("label a=1\n", "label a=1\ntaint b=:NoSchedule\n", ["+ taint b=:NoSchedule"]),
    ],
)
def test_lines(before: Any, after: Any, expected: list[str]) -> None:
    assert list(changed_lines({"before": before, "after": after})) == expected
