"""A role's scenario works by itself, as the README says; `make molecule` runs all of them."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from kubikk.paths import content_root
from tests.cluster.support.runs import PROGRAMS

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.timeout(600)
def test_etcd(lab_name: str) -> None:
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "KUBIKK_MOLECULE_LAB": f"{lab_name}-molecule",
    }
    done = subprocess.run(
        [PROGRAMS / "molecule", "test", "-s", "etcd"],
        cwd=content_root(),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=580,
        check=False,
    )
    said = _COLOURS.sub("", done.stdout)
    assert done.returncode == 0, said
    for step in ("create", "converge", "idempotence", "verify", "destroy"):
        # With colours it draws arrows between them, without, it does not.
        assert re.search(rf"etcd\W+{step}\W+Executed: Successful", said), said
