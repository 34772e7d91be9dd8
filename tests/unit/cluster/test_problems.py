"""Every mistake in a cluster file gets one message, with line, key and remedy, and all come at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster, load
from kubikk.errors import ProblemsError

from .invalid import ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_problems(row: Row, loaded: Callable[[str], Cluster]) -> None:
    with pytest.raises(ProblemsError) as caught:
        loaded(row.text)
    problems = caught.value.problems
    assert [(problem.line, problem.key) for problem in problems] == [(line, key) for line, key, _ in row.problems]
    for problem, (_, _, part) in zip(problems, row.problems, strict=True):
        assert part in f"{problem.message} {problem.remedy}"
        assert problem.remedy.endswith((".", "?"))
        assert not problem.message.endswith(".")
        assert problem.file and problem.file.name == "cluster.yml"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path / "none.yml")
    assert "there is no such file" in caught.value.problems[0].message


def test_directory_instead_of_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path)
    assert "is a directory" in caught.value.problems[0].message


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_bytes(b"name: a\nhosts: \xff\n")
    with pytest.raises(ProblemsError) as caught:
        load(path)
    assert caught.value.problems[0].line == 2


def test_public_key_is_refused(home: Path, loaded: Callable[[str], Cluster]) -> None:
    (home / "id.pub").touch()
    with pytest.raises(ProblemsError) as caught:
        loaded("ssh: {key: ~/id.pub}\nhosts: [{name: a, address: 192.168.1.1, roles: [control-plane]}]\n")
    assert "expected the private one" in caught.value.problems[0].message


@pytest.mark.parametrize("key", ["environment", "config"])
def test_open_credentials_are_refused(home: Path, loaded: Callable[[str], Cluster], key: str) -> None:
    host = "{name: a.ec2.internal, address: 192.168.1.1, roles: [control-plane]}"
    text = f"cloud: {{provider: aws, {key}: ~/aws}}\nhosts: [{host}]\n"
    (home / "aws").touch(mode=0o600)
    assert getattr(loaded(text).cloud, key) == home / "aws"
    (home / "aws").chmod(0o640)
    with pytest.raises(ProblemsError) as caught:
        loaded(text)
    assert "open to other users of this machine (mode 0640)" in caught.value.problems[0].message
