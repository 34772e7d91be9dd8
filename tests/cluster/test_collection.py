"""The collection by itself: built, installed elsewhere, and run with an inventory that is written by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubikk.operations.workspace import open_workspace
from kubikk.paths import content_root
from tests.cluster.support.api import administrator
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import PROGRAMS, kubikk

EXAMPLE = content_root() / "inventory" / "examples" / "plain-ansible"


def _run(directory: Path, *command: str) -> str:
    """What an Ansible program prints, started where neither the checkout nor its ansible.cfg are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    result = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        cwd=directory,
        env={**kept, "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the installed collection."""
    directory = tmp_path_factory.mktemp("elsewhere")
    _run(directory, "ansible-galaxy", "collection", "build", str(content_root()), "--output-path", str(directory))
    (archive,) = directory.glob("kubikk-kubikk-*.tar.gz")
    _run(directory, "ansible-galaxy", "collection", "install", str(archive), "--collections-path", "collections")
    return directory


def test_what_is_in_it(elsewhere: Path) -> None:
    root = elsewhere / "collections/ansible_collections/kubikk/kubikk"
    present = {entry.name for entry in root.iterdir()}
    assert present == {
        *("CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md"),
        *("meta", "playbooks", "plugins", "roles"),
    }
    assert {path.name for path in (root / "roles").iterdir()} == {
        path.name for path in (content_root() / "roles").iterdir()
    }


@pytest.fixture(scope="module")
def bare(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    with own_lab(f"{lab_name}-plain", tmp_path_factory.mktemp("plain"), control_planes=1, workers=1) as own:
        yield own


def _inventory(own: OwnLab, directory: Path) -> Path:
    """The example with the lab's addresses, and beside it what only `kubikk inventory` makes."""
    result = kubikk("inventory", "-f", str(own.file))
    assert result.returncode == 0, result.stdout
    shutil.copytree(EXAMPLE, directory)
    shutil.copytree(own.directory / "pki", directory / "pki")
    generated = yaml.safe_load((own.directory / "group_vars/all.yml").read_text())
    artifacts = yaml.safe_dump({"kubikk_artifacts": generated["kubikk_artifacts"]})
    (directory / "group_vars/all/artifacts.yml").write_text(artifacts)
    # What the lab's restricted kernel needs, as anybody would write it.
    components = yaml.safe_dump({"kubikk_components": generated["kubikk_components"]})
    (directory / "group_vars/all/components.yml").write_text(components)
    hosts: dict[str, Any] = yaml.safe_load((directory / "hosts.yml").read_text())
    addresses = {host.name: host.address for host in own.lab.hosts()}
    hosts["all"]["vars"] |= {
        "ansible_ssh_private_key_file": str(own.lab.key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={own.lab.known_hosts}",
    }
    for group in ("kube_control_plane", "kube_node"):
        members = hosts["all"]["children"][group]["hosts"]
        hosts["all"]["children"][group]["hosts"] = {
            name: {"ansible_host": addresses[name]} for name in members if name in addresses
        }
    (directory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return directory / "hosts.yml"


def _recap(output: str) -> dict[str, tuple[str, ...]]:
    """Host -> changed, unreachable, failed."""
    lines = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", output, re.M)
    return {line[0]: line[1:] for line in lines}


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_cluster_from_an_inventory_by_hand(elsewhere: Path, bare: OwnLab) -> None:
    hosts = _inventory(bare, elsewhere / "site")
    command = ("ansible-playbook", "-i", str(hosts), "kubikk.kubikk.cluster")
    first = _recap(_run(elsewhere, *command))
    assert {host: counts[1:] for host, counts in first.items()} == {"cp1": ("0", "0"), "w1": ("0", "0")}
    workspace = open_workspace(bare.file)
    api = administrator(
        f"https://{workspace.cluster.control_plane_hosts[0].address}:{workspace.cluster.api.port}", workspace.pki
    )
    ready = {
        node["metadata"]["name"]: [row["status"] for row in node["status"]["conditions"] if row["type"] == "Ready"]
        for node in api.items("/api/v1/nodes")
    }
    assert ready == {"cp1": ["True"], "w1": ["True"]}
    again = _recap(_run(elsewhere, *command))
    assert again == {"cp1": ("0", "0", "0"), "w1": ("0", "0", "0")}
    # What the program makes of the same hosts differs in nothing.
    plan = kubikk("plan", "-f", str(bare.file))
    assert plan.returncode == 0, plan.stdout
