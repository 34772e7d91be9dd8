"""Ctrl-C at a terminal: once finishes the step in hand, twice ends at once; then `up` goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.binaries import take_binaries
from tests.cluster.support.description import Description
from tests.cluster.support.runs import PROGRAMS, changes, events, kubikk, latest, runs
from tests.cluster.support.terminal import CTRL_C, at_terminal
from tests.cluster.support.waiting import until

pytestmark = pytest.mark.timeout(600)

_PATIENCE = 240.0


@pytest.fixture
def up(cluster: Description) -> list[str]:
    """The command that is interrupted."""
    return [str(PROGRAMS / "kubikk"), "up", "-f", str(cluster.cluster_file)]


@pytest.fixture
def something_to_ship(cluster: Description, access: Access) -> None:
    """Takes runtime binaries off a worker: the running processes keep them."""
    take_binaries(access.output, cluster.workers[0].name, "containerd", "kubelet")


def _told(cluster: Description, sign: Callable[[dict[str, Any]], bool]) -> Callable[[], bool]:
    """Tells whether a run that begins after this call has told an event that is a sign."""
    before = latest(cluster.directory)

    def begun() -> bool:
        run = latest(cluster.directory)
        return run is not None and run != before and any(sign(each) for each in events(run))

    return begun


def _shipping(cluster: Description) -> Callable[[], bool]:
    """Tells whether the runtime's step is under way in a run that begins after this call."""
    return _told(cluster, lambda each: each.get("role") == "containerd" and not each["task"].startswith("Validating"))


def _press_twice(up: list[str], begun: Callable[[], bool], what: str) -> None:
    """Starts `up`, presses Ctrl-C twice when something has begun, and sees that it ends at once."""
    with at_terminal(up) as terminal:
        terminal.until(begun, what, within=_PATIENCE)
        terminal.type(CTRL_C)
        terminal.until(lambda: "stopping when" in terminal.output, "an answer", within=60)
        terminal.type(CTRL_C)
        pressed = time.monotonic()
        assert terminal.end(within=60) == 130
        assert time.monotonic() - pressed < 5
    assert "Traceback" not in terminal.output


def _summary(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "summary.json").read_text())
    return content


def _unfinished(cluster: Description, access: Access) -> str:
    """Temporary files of steps that were not finished."""
    search = (
        "find /etc/kubernetes /opt/kubikk /var/tmp -name '*.kubikk-new' -o -name '.kubikk-*' -o -path '*staging*/*'"
    )
    return access.output(cluster.workers[0].name, search)


def test_during_preflight(cluster: Description, up: list[str]) -> None:
    before = runs(cluster.directory)
    with at_terminal(up) as terminal:
        terminal.until(lambda: "preflight" in terminal.output, "preflight", within=60)
        terminal.type(CTRL_C)
        assert terminal.end(within=60) == 130
    assert "goes on from here" in terminal.output
    assert "Traceback" not in terminal.output
    assert runs(cluster.directory) == before


@pytest.mark.usefixtures("something_to_ship")
def test_once_finishes_the_step_in_hand(cluster: Description, access: Access, up: list[str]) -> None:
    begun = _shipping(cluster)
    with at_terminal(up) as terminal:
        terminal.until(begun, "the runtime's step", within=_PATIENCE)
        terminal.type(CTRL_C)
        assert terminal.end(within=_PATIENCE) == 130
    for expected in ("stopping when", "no step is half done", "goes on from here"):
        assert expected in " ".join(terminal.output.split())
    assert "Traceback" not in terminal.output
    run = runs(cluster.directory)[-1]
    assert _summary(run)["interrupted"] is True
    told = events(run)
    assert [each for each in told if each["event"] in ("failed", "unreachable")] == []
    asked = next(each["time"] for each in told if each["event"] == "interrupted")
    assert {each["role"] for each in told if each.get("role") and each["time"] > asked} == {"containerd"}
    assert _unfinished(cluster, access) == ""
    # What was in hand is done, what came after it is left: the lock is free and another run finishes it.
    again = kubikk("up", "-f", str(cluster.cluster_file))
    assert again.returncode == 0, again.stdout
    done = " ".join(changes(runs(cluster.directory)[-1]))
    assert "binary kubelet" in done
    assert "binary containerd'" not in done


@pytest.mark.usefixtures("something_to_ship")
def test_twice_ends_at_once(cluster: Description, access: Access, up: list[str]) -> None:
    _press_twice(up, _shipping(cluster), "the runtime's step")
    assert _summary(runs(cluster.directory)[-1])["interrupted"] is True
    again = kubikk("up", "-f", str(cluster.cluster_file))
    assert again.returncode == 0, again.stdout
    assert _unfinished(cluster, access) == ""
    assert access.succeeds(cluster.workers[0].name, "test -x /usr/local/bin/kubelet -a -x /usr/local/bin/containerd")


@pytest.fixture
def without_network(cluster: Description, access: Access, api: Api) -> Iterator[str]:
    """Gives a worker a broken network configuration, so that it is not Ready; yields its name."""
    name = cluster.workers[0].name
    access.output(name, "echo '{' > /etc/cni/net.d/00-broken.conflist")
    until(lambda: not _is_ready(api, name), "it is not Ready", within=120)
    yield name
    access.output(name, "rm -f /etc/cni/net.d/00-broken.conflist")
    until(lambda: _is_ready(api, name), "it is Ready", within=120)


def _is_ready(api: Api, name: str) -> bool:
    (node,) = [each for each in api.items("/api/v1/nodes") if each["metadata"]["name"] == name]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])


def _waiting(cluster: Description) -> Callable[[], bool]:
    """Tells whether a run that begins after this call waits for nodes."""
    return _told(cluster, lambda each: "until they are Ready" in each.get("task", ""))


@pytest.mark.usefixtures("without_network")
def test_while_it_waits_for_nodes(cluster: Description, up: list[str]) -> None:
    _press_twice([*up, "--wait", "200", "--skip-preflight"], _waiting(cluster), "waiting for nodes")
    assert _summary(runs(cluster.directory)[-1])["interrupted"] is True


def test_nothing_is_left_of_it(cluster: Description) -> None:
    again = kubikk("up", "-f", str(cluster.cluster_file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(cluster.directory)[-1]) == []
