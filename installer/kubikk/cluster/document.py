"""YAML with the line of every key: what pydantic's errors are mapped back to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kubikk.errors import Problem

Location = tuple[str | int, ...]
"""Keys and list indexes from the top, as pydantic gives them."""

_MERGE = "tag:yaml.org,2002:merge"


def dotted(location: Location) -> str:
    """A location as it is shown, for example ``hosts[2].address``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass
class Document:
    """A YAML file's content and where each part of it stands.

    Attributes:
        file: where it was read from.
        data: the content; None for an empty file.
        lines: line of each key or list entry, counted from 1.
        problems: what is wrong with the YAML itself: doubled keys, keys that are no text.
    """

    file: Path
    data: Any = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, location: Location) -> int | None:
        """The line of a location, or of the closest one around it that is in the file."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location)

    def known(self, location: Location) -> Location:
        """The longest beginning of a location that is in the file; pydantic appends names of its own to some."""
        while location and location not in self.lines:
            location = location[:-1]
        return location

    def problem(self, location: Location, message: str, remedy: str) -> Problem:
        """A problem with what stands at a location."""
        return Problem(message, file=self.file, line=self.line(location), key=dotted(location), remedy=remedy)


class _Reader:
    """Builds a document's data from YAML nodes; keys are taken as text, so that ``on: 1`` is no truth value's entry."""

    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader = loader
        self._document = document
        self._open: set[int] = set()

    def build(self, node: yaml.Node, location: Location) -> Any:
        self._document.lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, location)
        if id(node) in self._open:
            self._report(node, location, "the alias contains itself", "Write the content out.")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(entry, (*location, index)) for index, entry in enumerate(node.value)]
            return self._mapping(node, location)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, location: Location) -> Any:
        try:
            return self._loader.construct_object(node, deep=True)
        except (yaml.constructor.ConstructorError, ValueError):
            self._report(node, location, f"{node.value!r} is no valid value of the YAML type {node.tag}", "Quote it.")
            return node.value

    def _mapping(self, node: yaml.Node, location: Location) -> dict[str, Any]:
        content: dict[str, Any] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key, location, "a key is a list or a mapping; expected text", "Write a plain word.")
                continue
            if key.tag == _MERGE:
                merged.append(value)
                continue
            name = key.value
            place = (*location, name)
            if name in content:
                first = self._document.lines[place]
                self._report(key, place, f"the key {name!r} is already given in line {first}", "Remove one of the two.")
                continue
            self._document.lines[place] = key.start_mark.line + 1
            content[name] = self.build(value, place)
        for value in merged:
            for name, entry in self._merged(value, location):
                content.setdefault(name, entry)
        return content

    def _merged(self, node: yaml.Node, location: Location) -> Iterator[tuple[str, Any]]:
        """What ``<<`` adds: the keys of a mapping, or of several, the first of which wins."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self._report(source, location, "<< is followed by something else than mappings", "Name an anchor (*x).")
                continue
            if id(source) in self._open:
                self._report(source, location, "the alias contains itself", "Write the content out.")
                continue
            yield from self.build(source, location).items()

    def _report(self, node: yaml.Node, location: Location, message: str, remedy: str) -> None:
        line = node.start_mark.line + 1
        self._document.problems.append(
            Problem(message, file=self._document.file, line=line, key=dotted(location), remedy=remedy)
        )


def parse(text: str, file: Path) -> Document:
    """Reads YAML with its lines.

    Args:
        text: the file's content.
        file: named in problems.

    Returns:
        The document; where it is malformed, its data is None and its one problem says where.
    """
    document = Document(file)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _Reader(loader, document).build(node, ())
    except yaml.YAMLError as error:
        document.problems.append(_malformed(error, text, file))
    return document


def _malformed(error: yaml.YAMLError, text: str, file: Path) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        message = f"the file has a character that YAML does not allow, U+{ord(text[error.position]):04X}"
        return Problem(message, file=file, line=line, remedy="Remove it.")
    mark = context = None
    what = str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        what = error.problem or what
        context = error.context
    message = f"the file is no valid YAML: {what}{f' {context}' if context else ''}"
    where = mark.line + 1 if mark else None
    return Problem(message, file=file, line=where, remedy="Look at the indentation, colons and quotes in and above it.")
