"""The generated inventory is an ordinary one: ansible-playbook alone does what `kubikk up` does."""

from __future__ import annotations

import os
import re
import subprocess

from kubikk.paths import content_root
from tests.cluster.support.access import Access
from tests.cluster.support.description import Description
from tests.cluster.support.runs import PROGRAMS
from tests.cluster.support.units import invocations


def test_the_playbook_finds_nothing_to_do(cluster: Description, access: Access) -> None:
    before = invocations(cluster, access)
    command = [str(PROGRAMS / "ansible-playbook"), "-i", str(cluster.directory / "hosts.yml"), "playbooks/cluster.yml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    result = subprocess.run(
        command,
        cwd=content_root(),  # where ansible.cfg is
        env={**environment, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    recap = re.findall(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", result.stdout, re.M)
    assert sorted(line[0] for line in recap) == sorted(cluster.hosts)
    assert all(line[2:] == ("0", "0", "0") for line in recap), result.stdout
    assert invocations(cluster, access) == before
