"""What firewalld and ufw are told."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import firewalls

SOURCES, NETWORKS, PORTS = ["10.0.0.11", "10.0.0.21"], ["10.244.0.0/16"], ["6443/tcp"]


def test_firewalld_zone() -> None:
    root = ElementTree.fromstring(firewalls.zone(SOURCES, NETWORKS))  # noqa: S314 (own text)
    assert root.attrib == {"target": "ACCEPT"}
    assert [row.attrib["address"] for row in root.iter("source")] == [*SOURCES, *NETWORKS]


def test_firewalld_policy() -> None:
    root = ElementTree.fromstring(firewalls.policy(PORTS))  # noqa: S314
    assert [row.attrib for row in root.iter("port")] == [{"port": "6443", "protocol": "tcp"}]
    assert [row.attrib["name"] for row in root.iter("ingress-zone")] == ["ANY"]
    assert [row.attrib["name"] for row in root.iter("egress-zone")] == ["HOST"]


WANTED = [
    "allow from 10.0.0.11",
    "allow from 10.0.0.21",
    "allow from 10.244.0.0/16",
    "route allow from 10.244.0.0/16",
    "route allow to 10.244.0.0/16",
    "allow 6443/tcp",
]
SHOWN = """Added user rules (see 'ufw status' for running firewall):
ufw allow 22/tcp
ufw allow from 10.0.0.99 comment 'kubikk'
ufw route allow from 10.244.0.0/16 comment 'kubikk'
ufw allow from 10.0.0.11 comment 'kubikk'
ufw allow from 10.0.0.12 comment 'not kubikk'
"""


def test_ufw_rules() -> None:
    assert firewalls.ufw_rules(SOURCES, NETWORKS, PORTS) == WANTED
    assert firewalls.ufw_present(SHOWN) == ["allow from 10.0.0.99", "route allow from 10.244.0.0/16", WANTED[0]]


@pytest.mark.parametrize("act", [True, False])
def test_ufw_gets_what_it_lacks_and_loses_what_is_not_wanted(monkeypatch: pytest.MonkeyPatch, act: bool) -> None:
    ran: list[str] = []

    def run(*command: str) -> str:
        if command == ("ufw", "show", "added"):
            return SHOWN
        ran.append(" ".join(command))
        return ""

    monkeypatch.setattr(firewalls, "run", run)
    done = firewalls.ensure_ufw(WANTED[:5], act)
    assert done == [*(f"ufw: + {WANTED[index]}" for index in (1, 2, 4)), "ufw: - allow from 10.0.0.99"]
    assert ran == (
        [*(f"ufw {WANTED[index]} comment kubikk" for index in (1, 2, 4)), "ufw delete allow from 10.0.0.99"]
        if act
        else []
    )
