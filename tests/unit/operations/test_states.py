"""Which hosts a run may leave out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.operations import states
from kubikk.operations.workspace import Workspace, open_workspace

_FILE = """
name: prod
hosts:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A cluster whose inventory was written."""
    file = tmp_path / "cluster.yml"
    file.write_text(_FILE)
    workspace = open_workspace(file)
    (workspace.directory / "pki").mkdir(parents=True)
    (workspace.directory / "pki" / "ca.crt").write_text("ca")
    (workspace.directory / "hosts.yml").write_text("all: {}")
    return workspace


@pytest.mark.parametrize("changed", ["pki/ca.crt", "hosts.yml", "host_vars/w1.yml"])
def test_what_a_run_is_made_of(workspace: Workspace, changed: str) -> None:
    before = states.fingerprint(workspace)
    (workspace.directory / "kubeconfig").write_text("the operator's")
    assert states.fingerprint(workspace) == before
    path = workspace.directory / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("something else")
    assert states.fingerprint(workspace) != before


def test_states_hold_for_a_run_of_the_same(tmp_path: Path) -> None:
    assert states.known(tmp_path, "one") == {}
    states.note(tmp_path, "one", {"cp1": "a", "w1": "b"})
    assert states.known(tmp_path, "one") == {"cp1": "a", "w1": "b"}
    assert states.known(tmp_path, "two") == {}
    # A run of some hosts says nothing of the others.
    states.note(tmp_path, "one", {"w1": "c"})
    assert states.known(tmp_path, "one") == {"cp1": "a", "w1": "c"}
    states.note(tmp_path, "two", {"w1": "d"})
    assert states.known(tmp_path, "two") == {"w1": "d"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": "one"}'])
def test_a_broken_note_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "states.json").write_text(content)
    assert states.known(tmp_path, "one") == {}
