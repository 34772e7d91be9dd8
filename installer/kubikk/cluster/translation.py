"""pydantic's errors in the words of the cluster file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kubikk.cluster.document import Document, Location
from kubikk.cluster.explanations import explain
from kubikk.cluster.models import Cluster
from kubikk.cluster.section import REFUSED, describe
from kubikk.cluster.structure import keys, model_at
from kubikk.errors import Problem

_KEY_MARK = "[key]"
"""What pydantic appends to the location of an error in a free mapping's key."""

_EXPECTED = {
    "string_type": ("text", "Put it in quotes."),
    "string_sub_type": ("text", "Put it in quotes."),
    "int_type": ("a whole number", "Write a number without quotes."),
    "int_from_float": ("a whole number", "Write a number without quotes."),
    "bool_type": ("true or false", "Write true or false without quotes."),
    "list_type": ("a list", "Write [one, two], or one line with a leading hyphen for each."),
    "tuple_type": ("a list", "Write [one, two], or one line with a leading hyphen for each."),
    "dict_type": ("a mapping", "Give it keys, or remove the line."),
    "model_type": ("a mapping", "Give it keys, or remove the line."),
    "model_attributes_type": ("a mapping", "Give it keys, or remove the line."),
    "path_type": ("a path", "Write the file's path, or remove the line."),
    "is_instance_of": ("a path", "Write the file's path, or remove the line."),
}


def _closest(word: str, candidates: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(candidates), n=1, cutoff=0.6)), None)


def _choice(error: ErrorDetails, expected: list[str]) -> tuple[str, str]:
    value = error["input"]
    guess = _closest(str(value), expected)
    remedy = f"Did you mean {guess}?" if guess else f"Write one of {', '.join(expected)}."
    if len(expected) == 1:
        return f"{describe(value)} is not supported; expected {expected[0]}", remedy
    return f"expected one of {', '.join(expected)}, not {describe(value)}", remedy


def _literals(text: str) -> list[str]:
    """The words of pydantic's "'a', 'b' or 'c'"."""
    return [word for word in text.split("'")[1::2] if word]


def _unknown(location: Location) -> tuple[str, str]:
    explained = explain(location)
    if explained:
        return explained
    *around, key = location
    model = model_at(Cluster, tuple(around))
    known = list(keys(model)) if model else []
    guess = _closest(str(key), known)
    what = "component" if around == ["components"] else "key"
    remedy = f"Did you mean {guess}?" if guess else f"Known {what}s here: {', '.join(known)}."
    return f"unknown {what} {describe(key)}", remedy


def _missing(location: Location) -> tuple[str, str]:
    key = str(location[-1])
    model = model_at(Cluster, location[:-1])
    field = keys(model).get(key) if model else None
    meaning = field.description.split(". ")[0].rstrip(".") if field and field.description else ""
    if location == ("hosts",):
        return "the cluster has no hosts", "Add the key hosts, with name, address and roles of each."
    if key == "roles":
        return "the host has no role", "Add the key roles with one or more of control-plane, worker, etcd."
    return f"the key {key} is missing ({meaning[:1].lower()}{meaning[1:]})", f"Add the key {key}."


def _words(error: ErrorDetails, location: Location) -> tuple[str, str]:
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    value = error["input"]
    words = (f"{error['msg']}, not {describe(value)}", "docs/reference/cluster-file.md has all keys.")
    if kind == REFUSED:
        words = str(context["message"]), str(context["remedy"])
    elif kind == "extra_forbidden":
        words = _unknown(location)
    elif kind == "missing":
        words = _missing(location)
    elif kind == "literal_error":
        words = _choice(error, _literals(str(context["expected"])))
    elif kind in _EXPECTED:
        expected, remedy = _EXPECTED[kind]
        words = f"expected {expected}, not {describe(value)}", remedy
    elif kind in ("greater_than_equal", "less_than_equal"):
        limit = f"at least {context['ge']}" if kind == "greater_than_equal" else f"at most {context['le']}"
        words = f"expected a number of {limit}, not {describe(value)}", "Write a number in the range."
    return words


def _place(error: ErrorDetails, document: Document) -> Location:
    parts = tuple(part for part in error["loc"] if part != _KEY_MARK)
    # A missing key is not in the file, but its place is known.
    return parts if error["type"] == "missing" else document.known(parts)


def translate(error: ValidationError, document: Document) -> dict[Location, Problem]:
    """Problems by location, one for each: the rest follow from it.

    Args:
        error: of validating the document's data.
        document: for the lines.
    """
    details = error.errors(include_url=False)
    problems: dict[Location, Problem] = {}
    misspelt: set[Location] = set()
    for detail in details:
        location = _place(detail, document)
        message, remedy = _words(detail, location)
        if detail["type"] == "extra_forbidden" and remedy.startswith("Did you mean "):
            misspelt.add((*location[:-1], remedy.removeprefix("Did you mean ").rstrip("?")))
        problems.setdefault(location, document.problem(location, message, remedy))
    missing = {_place(detail, document) for detail in details if detail["type"] == "missing"}
    return {location: problem for location, problem in problems.items() if location not in misspelt & missing}
