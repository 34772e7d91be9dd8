"""Reads the checksum lists that publishers put beside their releases."""

from __future__ import annotations

import json
import re

_SHA256 = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def find_checksum(text: str, file_name: str) -> str | None:
    """The sha256 of a file in its publisher's list, in lower case; None if the list does not name it.

    Understood are a bare checksum, the output of sha256sum, its BSD style, and GitHub's description of a release.

    Args:
        text: the list.
        file_name: the release file's name.
    """
    if text.lstrip().startswith("{"):
        return _from_github(text, file_name)
    lines = [line for line in text.splitlines() if _SHA256.search(line)]
    for line in lines:
        names = {word.lstrip("*(").rstrip(")").rsplit("/", 1)[-1] for word in line.split()}
        if file_name in names:
            return _first(line)
    alone = [line for line in lines if _SHA256.fullmatch(line.strip())]
    return _first(alone[0]) if len(lines) == 1 and alone else None


def _first(line: str) -> str | None:
    match = _SHA256.search(line)
    return match[0].lower() if match else None


def _from_github(text: str, file_name: str) -> str | None:
    try:
        assets = json.loads(text).get("assets", [])
    except ValueError:
        return None
    for asset in assets:
        if asset.get("name") == file_name and str(asset.get("digest")).startswith("sha256:"):
            return _first(asset["digest"])
    return None
