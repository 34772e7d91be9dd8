"""Takes hosts out of a cluster file's text, and leaves every other byte as it is."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from kubikk.errors import KubikkError


def without_hosts(text: str, names: Collection[str]) -> str:
    """A cluster file's text without the entries of some hosts.

    Args:
        text: of the file.
        names: hosts, all of which are in it.

    Raises:
        KubikkError: the list is written in a way that cannot be edited line by line.
    """
    entries = _entries(text)
    lines = text.splitlines(keepends=True)
    doomed: set[int] = set()
    for index, (name, node) in enumerate(entries):
        if name not in names:
            continue
        first = node.start_mark.line
        # The end of a block is where the next token begins: what stands between is not the entry's.
        last = node.end_mark.line if node.flow_style else _last_line(lines, first, node.end_mark.line)
        neighbours = [
            other for other, (_, each) in enumerate(entries) if each.start_mark.line in range(first, last + 1)
        ]
        if neighbours != [index]:
            raise _refusal(names)
        doomed |= set(range(first, last + 1))
    result = "".join(line for number, line in enumerate(lines) if number not in doomed)
    _require_same(text, result, names)
    return result


def _entries(text: str) -> list[tuple[str, yaml.MappingNode]]:
    """Name and node of each host."""
    top = yaml.compose(text, Loader=yaml.SafeLoader)
    found = []
    for key, value in top.value if isinstance(top, yaml.MappingNode) else []:
        if key.value == "hosts" and isinstance(value, yaml.SequenceNode):
            for node in value.value:
                names = [inner.value for outer, inner in node.value if outer.value == "name"]
                found.append((names[0] if names else "", node))
    return found


def _last_line(lines: list[str], first: int, end: int) -> int:
    last = end - 1 if end > first else first
    while last > first and (not lines[last].strip() or lines[last].lstrip().startswith("#")):
        last -= 1
    return last


def _require_same(before: str, after: str, names: Collection[str]) -> None:
    """Whatever the text looked like: what is left must say what it said, but for the hosts."""
    try:
        expected, found = yaml.safe_load(before), yaml.safe_load(after)
        expected["hosts"] = [entry for entry in expected["hosts"] if entry["name"] not in names]
    except (yaml.YAMLError, KeyError, TypeError):
        raise _refusal(names) from None
    if found != expected:
        raise _refusal(names)


def _refusal(names: Collection[str]) -> KubikkError:
    return KubikkError(
        f"{', '.join(sorted(names))} cannot be taken out of the cluster file by itself",
        cause="the list of hosts is not written with one host to a line, or uses YAML's anchors",
        remedy="write each host on lines of its own",
    )
