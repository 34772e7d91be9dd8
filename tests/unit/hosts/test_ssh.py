"""Connections to a real SSH server: keys, logins, jump hosts, sudo."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from kubikk.errors import KubikkError
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Connection, Jumps, connect

from .site import PASSWORD, PROGRAM, Site, make_key


def test_runs_a_program(site: Site) -> None:
    assert site.run() == {"echo": "abab"}


def test_measures_the_clock(site: Site) -> None:
    cluster = site.cluster()
    with Jumps() as jumps, connect(cluster, cluster.hosts[0], jumps) as connection:
        answer = connection.run(PROGRAM, {"word": ""})
    assert abs(answer.clock) <= answer.clock_error + 0.01
    assert 0 < answer.clock_error < 5


def test_runs_the_facts_program(site: Site) -> None:
    data = {
        "paths": ["/no/such/directory"],
        "listed": ["/etc"],
        "present": ["/etc", "/no"],
        "units": ["no-such-unit"],
        "certificates": ["/no"],
    }
    cluster = site.cluster()
    with Jumps() as jumps, connect(cluster, cluster.hosts[0], jumps) as connection:
        facts = connection.run(source("facts"), {**data, "ports": {"tcp": [site.server.port], "udp": []}}).data
    assert "127.0.0.1" in facts["addresses"]
    assert [listener["port"] for listener in facts["listeners"]] == [site.server.port]
    assert facts["present"] == ["/etc"]
    assert facts["disks"][0]["size"] > 0
    assert facts["units"] == {}


def test_jump_host(site: Site) -> None:
    assert site.run(jump=f"jumper@127.0.0.1:{site.jump.port}") == {"echo": "abab"}
    assert (site.jump.logins, site.server.logins) == (1, 1)


def test_jump_host_is_opened_once(site: Site) -> None:
    cluster = site.cluster(jump=f"jumper@127.0.0.1:{site.jump.port}")
    with Jumps() as jumps:
        opened: list[Connection] = []
        # The server in this process takes one forwarding at a time.
        for _ in range(3):
            opened.append(connect(cluster, cluster.hosts[0], jumps))
        for connection in opened:
            connection.close()
    assert (site.jump.logins, site.server.logins) == (1, 3)


def test_sudo_with_password(site: Site) -> None:
    assert site.run(PASSWORD, become=True) == {"echo": "abab"}


def test_password_goes_nowhere_where_sudo_does_not_ask(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKE_SUDO")
    cluster = site.cluster(become=True)
    with Jumps() as jumps, connect(cluster, cluster.hosts[0], jumps, become_password=PASSWORD) as connection:
        talk = connection.conversation()
        talk.start("import json, sys; print(json.dumps(sys.stdin.readline()))", {})
        talk.send("next")
        assert talk.line() == '"next\\n"'
        talk.close()


REFUSED: dict[str, tuple[Callable[[Site], object], dict[str, Any], str | None, str, str]] = {
    "unknown": (lambda site: site.know(""), {}, None, "host key of a is not known", "ssh-keyscan -p "),
    "changed": (
        lambda site: site.know(site.jump.line(f"[127.0.0.1]:{site.server.port}")),
        {},
        None,
        "host key of a has changed",
        "ssh-keygen -R",
    ),
    "revoked": (
        lambda site: site.know(site.server.line() + "@revoked " + site.server.line("*")),
        {},
        None,
        "host key of a is revoked",
        "new key",
    ),
    "authority": (
        lambda site: site.know("@cert-authority " + site.server.line()),
        {},
        None,
        "host key of a is not known",
        "ssh-keyscan",
    ),
    "user": (lambda _: None, {"user": "nobody"}, None, "does not let nobody in", "authorized_keys"),
    "passphrase": (
        lambda site: make_key(site.directory / "key", "secret"),
        {},
        None,
        "does not let operator in",
        "ssh-add",
    ),
    "other key": (lambda site: make_key(site.directory / "key"), {}, None, "does not let operator in", "authorized"),
    "closed port": (lambda _: None, {"port": 1}, None, "cannot be reached over SSH at 127.0.0.1 port 1", "SSH server"),
    "wrong password": (lambda _: None, {"become": True}, "nope", "sudo on a does not accept the password", "again"),
    "no password": (lambda _: None, {"become": True}, None, "sudo on a wants a password", "--ask-become-pass"),
}


@pytest.mark.parametrize(("prepare", "ssh", "password", "message", "remedy"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(  # noqa: PLR0917
    site: Site,
    prepare: Callable[[Site], object],
    ssh: dict[str, Any],
    password: str | None,
    message: str,
    remedy: str,
) -> None:
    prepare(site)
    with pytest.raises(KubikkError, match=message) as caught:
        site.run(password, **ssh)
    assert remedy in (caught.value.remedy or "")
    assert caught.value.host == "a"
    if password:
        assert password not in f"{caught.value.message}{caught.value.cause}"


def test_jump_host_unknown(site: Site) -> None:
    site.know(site.server.line())
    with pytest.raises(
        KubikkError, match=r"a cannot be reached: the host key of the jump host 127\.0\.0\.1 is not known"
    ):
        site.run(jump=f"jumper@127.0.0.1:{site.jump.port}")


def test_nothing_behind_the_jump_host(site: Site) -> None:
    with pytest.raises(KubikkError) as caught:
        site.run(jump=f"jumper@127.0.0.1:{site.jump.port}", port=1)
    assert "jump host says" in (caught.value.cause or "")


def test_no_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubikk.hosts.ssh.transport.CONNECT_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(KubikkError) as caught:
        site.run(port=silent.getsockname()[1])
    # Whichever of two clocks strikes first.
    assert caught.value.cause in ("no answer within 0 s", "Error reading SSH protocol banner")


def test_no_ssh_server(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def hang_up() -> None:
            connection, _ = other.accept()
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(KubikkError, match="cannot be reached"):
            site.run(port=other.getsockname()[1])


BROKEN = [
    ("raise SystemExit('boom')", "A program on a failed", "boom"),
    ("print('hello')", "a does not answer as it should", "instead of JSON it says: hello"),
    ("import time; time.sleep(9)", "a does not answer as it should", "no answer within 1 s"),
]


@pytest.mark.parametrize(("program", "message", "cause"), BROKEN)
def test_broken_program(site: Site, program: str, message: str, cause: str) -> None:
    with pytest.raises(KubikkError, match=message) as caught:
        site.run(program=program, timeout=1 if "sleep" in program else 20)
    assert cause in (caught.value.cause or "")
