"""What modules find out about a host, and how they leave it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.kubikk.kubikk.plugins.module_utils import health, kernel
from ansible_collections.kubikk.kubikk.plugins.modules import uninstall

RULES = """*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:MINE - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m comment --comment "not KUBE- at all" -j MINE
-A KUBE-SERVICES -j RETURN
COMMIT
"""


def test_only_our_chains_go() -> None:
    assert uninstall.without_chains(RULES, ["KUBE-"]).splitlines() == [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":MINE - [0:0]",
        '-A PREROUTING -m comment --comment "not KUBE- at all" -j MINE',
        "COMMIT",
    ]


def test_remove_path(tmp_path: Path) -> None:
    (tmp_path / "directory/below").mkdir(parents=True)
    assert uninstall.remove_path(str(tmp_path / "directory"), act=False) == [str(tmp_path / "directory")]
    assert (tmp_path / "directory").exists()
    assert uninstall.remove_path(str(tmp_path / "directory"), act=True) == [str(tmp_path / "directory")]
    assert not (tmp_path / "directory").exists()
    assert uninstall.remove_path(str(tmp_path / "directory"), act=True) == []


def test_sysctl_and_module_files() -> None:
    assert kernel.text_of_sysctls({"b": 1, "a": "2"}) == "a = 2\nb = 1\n"
    assert kernel.text_of_modules(["overlay", "vxlan"]) == "overlay\nvxlan\n"


def test_health_command() -> None:
    assert health.check({"command": ["true"]}) is None
    assert health.check({"command": ["sh", "-c", "echo broken >&2; exit 3"]}) == "sh: broken"
    assert "No such file" in str(health.check({"command": ["/nonexistent"]}))


def test_health_url_refused() -> None:
    assert "refused" in str(health.check({"url": "http://127.0.0.1:1/healthz"}))


def test_wait_gives_up_with_what_it_saw() -> None:
    times = iter([0.0, 1.0, 2.0, 3.0])
    seen = health.wait({}, 2.5, clock=lambda: next(times), sleep=lambda _: None, once=lambda _: "not yet")
    assert seen == "not yet"
