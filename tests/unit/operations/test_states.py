"""Which hosts a run may leave out, and when there is nothing to do at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from kubikk.ansible.summary import HostSummary, Summary
from kubikk.cluster import Cluster
from kubikk.hosts.looks import Look
from kubikk.operations import states
from kubikk.operations.states import Recipe
from kubikk.operations.workspace import Workspace, open_workspace

_FILE = """
name: prod
hosts:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
"""
_OTHER_WORKER = "  - {name: w2, address: 10.0.0.22, roles: [worker]}\n"
_CONTROL_PLANES = "".join(
    f"  - {{name: cp{number}, address: 10.0.0.1{number}, roles: [control-plane]}}\n" for number in (2, 3)
)

ONE = Recipe("one", {"cp1": "one", "w1": "one"})
TWO = Recipe("two", {"cp1": "two", "w1": "two"})
# Another worker was added: nothing else for those that there are.
MORE = Recipe("more", {**ONE.hosts, "w2": "one"})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A cluster whose inventory was written."""
    file = tmp_path / "cluster.yml"
    file.write_text(_FILE)
    workspace = open_workspace(file)
    for name in ("ca.crt", "kubelet/w1/client.crt"):
        (workspace.directory / "pki" / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.directory / "pki" / name).write_text("certificate")
    return workspace


@dataclasses.dataclass
class Hosts:
    """Stands in for hosts: what a look at them sees.

    Attributes:
        states: by host that answers.
        cluster: the cluster's.
        asked: what was asked for, a look each.
    """

    states: dict[str, str]
    cluster: str = "fine"
    asked: list[tuple[Mapping[str, Any], Mapping[str, Any] | None]] = dataclasses.field(default_factory=list)

    def look_at(
        self,
        cluster: Cluster,
        hosts: Mapping[str, Mapping[str, Any]],
        api: Mapping[str, Any] | None,
        become_password: str | None,
    ) -> dict[str, Look]:
        """What was seen."""
        self.asked.append((hosts, api))
        of_cluster = {"cp1": self.cluster} if api is not None else {}
        return {
            name: Look(state if name in hosts else None, of_cluster.get(name), 0.0, 0.1)
            for name, state in self.states.items()
            if name in hosts or name in of_cluster
        }


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    hosts = Hosts({"cp1": "a", "w1": "b"})
    monkeypatch.setattr(states, "look_at", hosts.look_at)
    return hosts


def _summary(*names: str) -> Summary:
    return Summary(
        hosts={name: HostSummary(look={"address": name}) for name in names}, look={"nodes": list(names), "objects": []}
    )


def _differing(workspace: Workspace, change: Callable[[], object]) -> set[str]:
    """Hosts, and "the cluster", that are made of something else after a change."""
    before = states.recipe(workspace)
    change()
    after = states.recipe(open_workspace(workspace.file))
    found = {name for name in before.hosts if after.hosts[name] != before.hosts[name]}
    return found | ({"the cluster"} if after.cluster != before.cluster else set())


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("pki/ca.crt", {"cp1", "w1", "the cluster"}),
        ("group_vars/all.yml", {"cp1", "w1", "the cluster"}),
        ("host_vars/w1.yml", {"w1", "the cluster"}),
        ("pki/kubelet/w1/client.crt", {"w1", "the cluster"}),
        ("kubeconfig", set()),
    ],
)
def test_what_a_run_is_made_of(workspace: Workspace, path: str, concerned: set[str]) -> None:
    def change() -> None:
        file = workspace.directory / path
        file.parent.mkdir(exist_ok=True)
        file.write_text("something else")

    assert _differing(workspace, change) == concerned


@pytest.mark.parametrize(
    ("lines", "concerned"), [(_OTHER_WORKER, {"the cluster"}), (_CONTROL_PLANES, {"cp1", "w1", "the cluster"})]
)
def test_whom_a_new_host_concerns(workspace: Workspace, lines: str, concerned: set[str]) -> None:
    assert _differing(workspace, lambda: workspace.file.write_text(_FILE + lines)) == concerned


def test_states_hold_for_a_run_of_the_same(workspace: Workspace, hosts: Hosts) -> None:
    directory = workspace.directory
    assert states.known(directory, ONE) == {}
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    assert states.known(directory, ONE) == {"cp1": "a", "w1": "b"}
    assert states.known(directory, MORE) == {"cp1": "a", "w1": "b"}
    assert states.known(directory, TWO) == {}
    # A run of some hosts says nothing of the others.
    hosts.states["w1"] = "c"
    states.note(workspace, ONE, _summary("w1"), None)
    assert states.known(directory, ONE) == {"cp1": "a", "w1": "c"}
    # Nothing is kept of a host that is no more.
    states.note(workspace, Recipe("less", {"cp1": "one"}), _summary("cp1"), None)
    assert states.known(directory, ONE) == {"cp1": "a"}


def test_nothing_to_do_where_all_is_as_it_was_left(workspace: Workspace, hosts: Hosts) -> None:
    assert states.as_left(workspace, ONE, None) is None
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    seen = states.as_left(workspace, ONE, None)
    assert seen is not None
    assert seen.keys() == {"cp1", "w1"}
    # The same is looked at.
    assert hosts.asked[0] == hosts.asked[1]


def test_hosts_that_were_left_alone_are_not_looked_at_again(workspace: Workspace, hosts: Hosts) -> None:
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    summary = _summary("cp1", "w1", "w2")
    for name, state in (("cp1", "a"), ("w1", "b")):
        summary.hosts[name].state, summary.hosts[name].executions = state, 1
    hosts.states["w2"] = "c"
    states.note(workspace, MORE, summary, None)
    assert hosts.asked[-1][0].keys() == {"w2"}
    assert states.known(workspace.directory, MORE) == {"cp1": "a", "w1": "b", "w2": "c"}
    assert states.as_left(workspace, MORE, None) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda hosts: hosts.states.update(w1="c"),
        lambda hosts: hosts.states.pop("w1"),
        lambda hosts: setattr(hosts, "cluster", "otherwise"),
        lambda hosts: setattr(hosts, "cluster", ""),
    ],
    ids=["a host differs", "a host does not answer", "the cluster differs", "a node is not Ready"],
)
def test_something_to_do_where_anything_differs(
    workspace: Workspace, hosts: Hosts, change: Callable[[Hosts], object]
) -> None:
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    change(hosts)
    assert states.as_left(workspace, ONE, None) is None


@pytest.mark.parametrize("made_of", [TWO, MORE], ids=["of something else", "with a host more"])
def test_nobody_is_asked_where_the_run_is_another(workspace: Workspace, hosts: Hosts, made_of: Recipe) -> None:
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    hosts.asked.clear()
    assert states.as_left(workspace, made_of, None) is None
    assert not hosts.asked


def test_a_cluster_that_is_not_ready_is_not_noted(workspace: Workspace, hosts: Hosts) -> None:
    hosts.cluster = ""
    states.note(workspace, ONE, _summary("cp1", "w1"), None)
    assert states.as_left(workspace, ONE, None) is None


def test_a_run_of_some_hosts_says_nothing_of_the_cluster(workspace: Workspace, hosts: Hosts) -> None:
    states.note(workspace, ONE, _summary("w1"), None)
    assert hosts.asked[-1][1] is None


def test_a_firewall_is_seen_to_in_every_run(workspace: Workspace, hosts: Hosts) -> None:
    workspace.file.write_text(_FILE + "network: {firewall: open}\n")
    opened = open_workspace(workspace.file)
    states.note(opened, ONE, _summary("cp1", "w1"), None)
    assert states.as_left(opened, ONE, None) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"hosts": {"cp1": "a"}}', '{"hosts": {"cp1": {"state": "a"}}}'])
def test_a_broken_note_is_none(workspace: Workspace, hosts: Hosts, content: str) -> None:
    (workspace.directory / "states.json").write_text(content)
    assert states.known(workspace.directory, ONE) == {}
    assert states.as_left(workspace, ONE, None) is None
