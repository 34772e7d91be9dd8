"""The wheel works by itself: installed into an empty environment, run from a directory without a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubikk.paths import content_root

_CLUSTER_FILE = """\
name: prod
hosts:
  - {name: cp1, address: 192.0.2.11, roles: [control-plane]}
  - {name: w1, address: 192.0.2.21, roles: [worker]}
"""


def _run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a virtual environment that holds the wheel and what it asks for, and a cluster file."""
    directory = tmp_path_factory.mktemp("elsewhere")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", directory, content_root(), cwd=directory)
    _run(sys.executable, "-m", "venv", "--without-pip", directory / "venv", cwd=directory)
    wheel = next(directory.glob("kubikk-*.whl"))
    _run(*pip, "--python", directory / "venv/bin/python", "install", wheel, cwd=directory)
    (directory / "cluster.yml").write_text(_CLUSTER_FILE)
    return directory


@pytest.mark.timeout(900)
def test_validate(elsewhere: Path) -> None:
    kubikk = elsewhere / "venv/bin/kubikk"
    assert "Traceback" not in _run(kubikk, "validate", "-f", "cluster.yml", cwd=elsewhere)


def test_content_travels_in_the_wheel(elsewhere: Path) -> None:
    show = "from kubikk.paths import collections_path, content_root; print(content_root()); print(collections_path())"
    root, collections = map(Path, _run(elsewhere / "venv/bin/python", "-c", show, cwd=elsewhere).split())
    assert elsewhere in root.parents
    for name in ("roles/kubelet/tasks/main.yml", "playbooks/cluster.yml", "plugins/modules/component.py", "galaxy.yml"):
        assert (root / name).is_file(), name
    assert (collections / "ansible_collections/kubikk/kubikk/roles").is_dir()


def test_playbooks_are_complete(elsewhere: Path) -> None:
    """Ansible of the new environment finds every role and plugin that the playbook names."""
    content = elsewhere / "venv"
    playbook = next(content.rglob("kubikk/ansible_collections/kubikk/kubikk/playbooks/cluster.yml"))
    inventory = elsewhere / "hosts.yml"
    groups = "\n".join(f"    {name}: {{hosts: {{h1: {{}}}}}}" for name in ("etcd", "kube_control_plane", "k8s_cluster"))
    inventory.write_text(f"all:\n  children:\n{groups}\n")
    environment = f"ANSIBLE_COLLECTIONS_PATH={playbook.parents[4]}"
    listing = _run(
        "env",
        environment,
        elsewhere / "venv/bin/ansible-playbook",
        "-i",
        inventory,
        "--list-tasks",
        playbook,
        cwd=elsewhere,
    )
    for role in ("host", "etcd", "kube_apiserver", "kubelet", "kube_proxy", "cluster_ready"):
        assert f"kubikk.kubikk.{role} : " in listing or f"{role} : " in listing, role
