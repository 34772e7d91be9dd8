"""Labels and booleans, with a directory in the place of the kernel's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.kubikk.kubikk.plugins.module_utils import selinux


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    root = tmp_path / "selinux"
    (root / "booleans").mkdir(parents=True)
    (root / "enforce").write_text("1")
    (root / "booleans" / "haproxy_connect_any").write_text("0 0")
    (root / "booleans" / "daemons_use_tty").write_text("1 1")
    return root


@pytest.mark.skipif(os.geteuid() != 0, reason="labels are root's to set")
def test_a_program_gets_its_label(tmp_path: Path, kernel: Path) -> None:
    program = tmp_path / "etcd"
    program.touch()
    selinux.label(str(program), selinux.PROGRAM, root=str(tmp_path / "none"))
    assert "security.selinux" not in os.listxattr(program)
    selinux.label(str(program), selinux.PROGRAM, root=str(kernel))
    assert os.getxattr(program, "security.selinux") == b"system_u:object_r:bin_t:s0\0"


def test_only_booleans_that_are_off_are_turned_on(
    tmp_path: Path, kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "setsebool"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/ran\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    names = ["haproxy_connect_any", "daemons_use_tty", "no_such"]
    assert selinux.turn_on(names, act=False, root=str(kernel)) == ["haproxy_connect_any"]
    assert not (tmp_path / "ran").exists()
    assert selinux.turn_on(names, act=True, root=str(kernel)) == ["haproxy_connect_any"]
    assert (tmp_path / "ran").read_text() == "-P haproxy_connect_any on\n"
    assert selinux.turn_on(names, act=True, root=str(tmp_path / "none")) == []


def test_setsebool_refuses(tmp_path: Path, kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "setsebool"
    program.write_text("#!/bin/sh\necho no policy >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(OSError, match="no policy"):
        selinux.turn_on(["haproxy_connect_any"], act=True, root=str(kernel))
