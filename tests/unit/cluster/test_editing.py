"""Hosts leave a cluster file, and nothing else in it changes."""

from __future__ import annotations

import pytest

from kubikk.cluster.editing import without_hosts
from kubikk.errors import KubikkError

FLOW = """\
# The cluster of the second floor.
name: demo   # not the other one
hosts:
  - {name: cp1, address: 192.168.56.11, roles: [control-plane]}
  # Bought in March.
  - {name: w1, address: 192.168.56.21, roles: [worker]}
  - {name: w2, address: 192.168.56.22,
     roles: [worker]}   # loud

runtime: containerd
"""
BLOCK = """\
hosts:
- name: cp1
  address: 192.168.56.11
  roles:
    - control-plane

# A comment of the next one.
- name: w1
  roles: [worker]
  address: 192.168.56.21
  labels:
    disk: ssd

- name: w2
  address: 192.168.56.22
  roles: [worker]
# the end
name: demo
"""


@pytest.mark.parametrize(
    ("text", "names", "gone"),
    [
        (FLOW, ["w1"], ["  - {name: w1, address: 192.168.56.21, roles: [worker]}\n"]),
        (FLOW, ["w2"], ["  - {name: w2, address: 192.168.56.22,\n     roles: [worker]}   # loud\n"]),
        (
            FLOW,
            ["w2", "cp1"],
            [
                "  - {name: cp1, address: 192.168.56.11, roles: [control-plane]}\n",
                "  - {name: w2, address: 192.168.56.22,\n     roles: [worker]}   # loud\n",
            ],
        ),
        (BLOCK, ["cp1"], ["- name: cp1\n  address: 192.168.56.11\n  roles:\n    - control-plane\n"]),
        (
            BLOCK,
            ["w1"],
            ["- name: w1\n  roles: [worker]\n  address: 192.168.56.21\n  labels:\n    disk: ssd\n"],
        ),
        (BLOCK, ["w2"], ["- name: w2\n  address: 192.168.56.22\n  roles: [worker]\n"]),
    ],
)
def test_only_the_host_s_lines_go(text: str, names: list[str], gone: list[str]) -> None:
    expected = text
    for lines in gone:
        assert lines in text
        expected = expected.replace(lines, "")
    assert without_hosts(text, names) == expected


@pytest.mark.parametrize(
    "text",
    [
        "hosts: [{name: cp1, roles: [control-plane]}, {name: w1, roles: [worker]}]\n",
        "hosts:\n  - {name: cp1, ssh: &ssh {user: me}}\n  - {name: w1, ssh: *ssh}\n",
    ],
)
def test_what_cannot_be_edited_by_lines_is_refused(text: str) -> None:
    with pytest.raises(KubikkError) as caught:
        without_hosts(text, ["cp1"])
    assert caught.value.remedy == "write each host on lines of its own"
