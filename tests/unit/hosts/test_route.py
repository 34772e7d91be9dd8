"""What is asked of OpenSSH, and what is made of its answer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from kubikk.cluster import Connection, JumpHost
from kubikk.errors import KubikkError
from kubikk.hosts.ssh import route as module
from kubikk.hosts.ssh.route import Hop, parse, quote, route
from kubikk.inventory.connection import connection_variables

PLAIN = Connection(host="10.0.0.1", port=22, user="root", key=None, known_hosts=None, jump=None, become=False)
HOME = Path.home()


def changed(**settings: Any) -> Connection:
    """A connection with some settings."""
    return Connection(**{**PLAIN.__dict__, **settings})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What ``ssh -G`` answers for each host, in place of this machine's configuration."""
    said: dict[str, str] = {}

    def ask(host: str, options: list[str]) -> str:
        given = [option.split("=", 1) for option in options]
        if any(option == ["ProxyCommand", "none"] for option in given):
            return said.get(host, "").replace("proxyjump", "ignored")
        lines = [f"{name.lower()} {value}" for name, value in given]
        return "\n".join([*lines, said.get(host, "")])

    monkeypatch.setattr(module, "_ask", ask)
    return said


def test_configured_jump_hosts(answers: dict[str, str]) -> None:
    answers["10.0.0.1"] = "hostname a.internal\nport 22\nuser root\nproxyjump one,me@two:2222\nidentityfile ~/.ssh/a"
    answers["one"] = "hostname one.example.com\nport 22\nuser someone"
    answers["two"] = "hostname two.example.com"
    hop = route(PLAIN)
    assert (hop.address, hop.port, hop.user) == ("a.internal", 22, "root")
    assert hop.identities == (HOME / ".ssh/a",)
    assert hop.via
    assert (hop.via.address, hop.via.port, hop.via.user) == ("two.example.com", 2222, "me")
    assert hop.via.via
    assert (hop.via.via.address, hop.via.via.user, hop.via.via.via) == ("one.example.com", "someone", None)


def test_jump_host_of_the_cluster_file_comes_first(answers: dict[str, str], tmp_path: Path) -> None:
    answers["10.0.0.1"] = "hostname 10.0.0.1\nproxyjump other"
    answers["bastion"] = "hostname 192.0.2.1\nuser me\nport 22"
    settings = changed(jump=JumpHost("bastion"), known_hosts=tmp_path / "known hosts", key=tmp_path / "key")
    hop = route(settings)
    assert hop.via
    assert hop.via.address == "192.0.2.1"
    # As in the inventory: the cluster's known_hosts for both, the cluster's key offered to both.
    assert hop.known_hosts == hop.via.known_hosts == (tmp_path / "known hosts",)
    assert not hop.via.identities_only


def test_jump_hosts_in_a_circle(answers: dict[str, str]) -> None:
    answers["10.0.0.1"] = "proxyjump a"
    answers["a"] = "proxyjump b"
    answers["b"] = "proxyjump a"
    with pytest.raises(KubikkError, match="too many jump hosts"):
        route(PLAIN)


SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("proxycommand nc %h %p %% %q", {"proxy_command": "nc a 22 % %q"}),
    ("proxycommand none", {"proxy_command": ""}),
    ("hostkeyalias Alias", {"host_key_name": "alias"}),
    ("identitiesonly yes", {"identities_only": True}),
    ("identityfile %d/.ssh/%r-%h", {"identities": (HOME / ".ssh/root-a",)}),
    ("identityagent none", {"agent": ""}),
    ("identityagent SSH_AUTH_SOCK", {"agent": "/run/agent"}),
    ("identityagent $OTHER_SOCK", {"agent": "/run/other"}),
    ("identityagent ~/agent", {"agent": str(HOME / "agent")}),
    ("", {"agent": "/run/agent", "known_hosts": (), "identities": ()}),
    ("userknownhostsfile /a /b\nglobalknownhostsfile /c", {"known_hosts": (Path("/a"), Path("/b"), Path("/c"))}),
]


@pytest.mark.parametrize(("lines", "expected"), SETTINGS)
def test_settings(
    answers: dict[str, str], monkeypatch: pytest.MonkeyPatch, lines: str, expected: dict[str, Any]
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setenv("OTHER_SOCK", "/run/other")
    answers["10.0.0.1"] = f"hostname a\nport 22\nuser root\n{lines}"
    hop = route(PLAIN)
    assert {name: getattr(hop, name) for name in expected} == expected


def test_parse_keeps_the_first_of_what_is_single() -> None:
    settings = parse("user a\nuser b\nidentityfile x\nidentityfile y\nhostname\n")
    assert settings.first("user") == "a"
    assert settings.values["identityfile"] == ("x", "y")
    assert settings.first("hostname") == ""


REAL: list[dict[str, Any]] = [
    {},
    {"port": 2222, "user": "admin"},
    {"key": Path("/no/such/key with space%d"), "known_hosts": Path("/no/such/hosts with space")},
]


@pytest.mark.parametrize("settings", REAL)
def test_openssh_understands(settings: dict[str, Any]) -> None:
    """With this machine's own ssh and configuration."""
    connection = changed(host="host.invalid", **settings)
    hop = route(connection)
    assert isinstance(hop, Hop)
    assert (hop.port, hop.user) == (connection.port, connection.user)
    if connection.key:
        assert hop.identities == (connection.key,)
        assert hop.identities_only
    if connection.known_hosts:
        assert hop.known_hosts[0] == connection.known_hosts


@pytest.mark.parametrize("settings", REAL)
def test_same_options_as_in_the_inventory(monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]) -> None:
    """Ansible's ssh and the probes are told the same."""
    asked: list[list[str]] = []

    def ask(host: str, options: list[str]) -> str:
        asked.append(options)
        return ""

    monkeypatch.setattr(module, "_ask", ask)
    connection = changed(**settings)
    route(connection)
    words = shlex.split(connection_variables(connection)["ansible_ssh_common_args"])
    ansible = {word for word in words if "=" in word} - {"StrictHostKeyChecking=yes"}
    ansible |= {f"Port={connection.port}", f"User={connection.user}"}
    if connection.key:
        ansible.add(f"IdentityFile={quote(connection.key)}")
    assert set(asked[0]) == ansible


def test_without_openssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KubikkError, match="no ssh on this machine"):
        route(PLAIN)
