"""What is written is what Ansible reads."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
import yaml

from kubikk.inventory.rendering import Template, render


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("{{ a }}", 'x: !unsafe "{{ a }}"'),
        ("a {% b", 'x: !unsafe "a {% b"'),
        ("{# a", 'x: !unsafe "{# a"'),
        (Template("{{ a }}"), "x: '{{ a }}'"),
        ("{a}", "x: '{a}'"),
        ("yes", "x: 'yes'"),
        ("1.37", "x: '1.37'"),
        (None, "x: null"),
        (True, "x: true"),
        (PurePosixPath("/a b"), "x: /a b"),
        ("ä" * 200, f"x: {'ä' * 200}"),
    ],
)
def test_values(value: object, line: str) -> None:
    assert render({"x": value}, "c").splitlines()[2:] == [line]


def test_keys_are_sorted_and_nothing_is_shared() -> None:
    shared = {"b": 1, "a": [1]}
    text = render({"y": shared, "x": shared}, "c")
    assert text.splitlines()[2:] == ["x:", "  a:", "    - 1", "  b: 1", "y:", "  a:", "    - 1", "  b: 1"]


def test_unknown_types_are_no_yaml() -> None:
    with pytest.raises(yaml.representer.RepresenterError):
        render({"x": object()}, "c")
