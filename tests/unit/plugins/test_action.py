"""What makes two calls of ``component`` the same, and what is sent before the first one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.kubikk.kubikk.plugins.action.component import ActionModule

_CALL: dict[str, Any] = {
    "name": "x",
    "files": [{"path": "/etc/x", "src": "/one/pki/ca.crt", "mode": "0600"}],
    "contents": {"/etc/x": "dGV4dA=="},
    "artifacts": [{"component": "x", "version": "1", "files": {"x": {"path": "/cache/x", "sha256": "ab", "size": 1}}}],
    "units": [{"name": "x", "inputs": []}],
}


def _digest(change: Callable[[dict[str, Any]], object]) -> str:
    call = copy.deepcopy(_CALL)
    change(call)
    before = copy.deepcopy(call)
    digest = ActionModule._digest(call)
    assert call == before
    return str(digest)


SAME = _digest(lambda call: None)


@pytest.mark.parametrize(
    "change",
    [
        lambda call: call["files"][0].update(src="/two/.plan-x/pki/ca.crt"),
        lambda call: call["artifacts"][0]["files"]["x"].update(path="/elsewhere/x"),
        lambda call: call.update(restart="later"),
        lambda call: call.update(finish=True),
    ],
)
def test_where_things_lie_and_when_to_restart_make_no_difference(change: Callable[[dict[str, Any]], object]) -> None:
    assert _digest(change) == SAME


@pytest.mark.parametrize(
    "change",
    [
        lambda call: call["contents"].update({"/etc/x": "b3RoZXI="}),
        lambda call: call["files"][0].update(mode="0644"),
        lambda call: call["files"].pop(),
        lambda call: call["artifacts"][0].update(version="2"),
        lambda call: call["artifacts"][0]["files"]["x"].update(sha256="cd"),
        lambda call: call["units"][0]["inputs"].append("/etc/y"),
        lambda call: call.update(owner="x"),
    ],
)
def test_what_the_host_is_to_be_makes_one(change: Callable[[dict[str, Any]], object]) -> None:
    assert _digest(change) != SAME


@pytest.mark.parametrize(
    ("call", "known", "sent"),
    [
        ({}, {"x/x/ab"}, ["x"]),
        ({}, {"x/x/cd", "x/y/ab", "y/x/ab"}, []),
        ({}, set(), []),
        # The call before this one sent them.
        ({"finish": True}, {"x/x/ab"}, []),
    ],
)
def test_what_is_known_to_be_lacking_is_sent_once(call: dict[str, Any], known: set[str], sent: list[str]) -> None:
    found = ActionModule._foreseen({**_CALL, **call}, _CALL["artifacts"], known)
    assert [entry["name"] for entry in found] == sent
