"""The inventory that is written by hand gives roles the same variables as a generated one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from kubikk.cluster import load
from kubikk.inventory import build
from kubikk.paths import content_root

from .cases import ARTIFACTS

EXAMPLE = content_root() / "inventory" / "examples" / "plain-ansible"
CLUSTER = """\
name: demo
hosts:
  - {name: cp1, address: 192.168.56.11, roles: [control-plane]}
  - {name: w1, address: 192.168.56.21, roles: [worker]}
  - {name: w2, address: 192.168.56.22, roles: [worker]}
"""
# Where the inventory's directory is, and how hosts are reached.
OWN = ("kubikk_pki_dir", "ansible_")


def _variables(hosts: Path) -> dict[str, dict[str, Any]]:
    """Each host's variables, evaluated by Ansible."""
    command = [str(Path(sys.executable).parent / "ansible"), "all", "--inventory", str(hosts), "--one-line"]
    names = sorted(path for path in yaml.safe_load((EXAMPLE / "group_vars/all/cluster.yml").read_text()))
    asked = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + ", 'groups': groups} | to_json }}"
    command += ["--connection", "local", "--module-name", "ansible.builtin.debug", "--args", f"msg={json.dumps(asked)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=hosts.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for line in done.stdout.splitlines():
        host, _, rest = line.partition(" | SUCCESS => ")
        answer = json.loads(rest)["msg"]
        values = json.loads(answer) if isinstance(answer, str) else answer
        groups = {name: sorted(members) for name, members in values.pop("groups").items()}
        found[host] = {key: value for key, value in values.items() if not key.startswith(OWN)} | {"groups": groups}
    return found


def test_the_same_variables(tmp_path: Path) -> None:
    # Where the firewall is left alone, nobody reads from where it would let in: kubikk then leaves that out.
    (tmp_path / "cluster.yml").write_text(CLUSTER + "network: {firewall: open}\n")
    build(load(tmp_path / "cluster.yml"), ARTIFACTS).write(tmp_path / "generated")
    shutil.copytree(EXAMPLE, tmp_path / "own")
    file = tmp_path / "own/group_vars/all/cluster.yml"
    file.write_text(file.read_text().replace("mode: leave", "mode: open"))
    (tmp_path / "own/group_vars/all/artifacts.yml").write_text(yaml.safe_dump({"kubikk_artifacts": ARTIFACTS}))
    generated = yaml.safe_load((tmp_path / "generated/group_vars/all.yml").read_text())
    own = yaml.safe_load((EXAMPLE / "group_vars/all/cluster.yml").read_text())
    assert set(own) - {"kubikk_host", "kubikk_node"} == set(generated) - {"kubikk_artifacts"}
    assert _variables(tmp_path / "own/hosts.yml") == _variables(tmp_path / "generated/hosts.yml")
