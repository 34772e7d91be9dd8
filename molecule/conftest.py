"""What the tests of all scenarios share: the hosts, the API, and runs of the role with other settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host
from testinfra.utils.ansible_runner import AnsibleRunner
from tests.cluster.support.api import Api, tls
from tests.cluster.support.description import Description, described

_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@pytest.fixture(scope="session")
def inventory(pytestconfig: pytest.Config) -> Path:
    """The generated ``hosts.yml``."""
    return Path(pytestconfig.getoption("ansible_inventory"))


@pytest.fixture(scope="session")
def cluster(inventory: Path) -> Description:
    """The scenario's hosts and variables, from the listing that testinfra has asked Ansible for."""
    return described(inventory.parent, AnsibleRunner.get_runner(str(inventory)).inventory)


@pytest.fixture(scope="session")
def hosts(cluster: Description, inventory: Path) -> dict[str, Host]:
    """All hosts by name, for tests that look at several; the fixture ``host`` is one after the other."""
    return {name: testinfra.get_host(f"ansible://{name}", ansible_inventory=str(inventory)) for name in cluster.hosts}


@pytest.fixture(scope="session")
def api(cluster: Description) -> Iterator[Api]:
    """The first host's API server, asked as the administrator."""
    api = Api(cluster.api_server(), tls(cluster.pki / "ca.crt", cluster.pki / "admin"))
    yield api
    api.close()


@pytest.fixture(scope="session")
def converge_with(inventory: Path) -> Callable[..., tuple[int, str]]:
    """Runs converge.yml with other settings of the role; gives Ansible's exit code and what it printed."""

    def run(**settings: object) -> tuple[int, str]:
        command = [str(_PLAYBOOK), f"--inventory={inventory}", "--extra-vars", json.dumps(settings), "converge.yml"]
        result = subprocess.run(
            command,
            cwd=os.environ["MOLECULE_SCENARIO_DIRECTORY"],
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return result.returncode, result.stdout

    return run


@pytest.fixture
def refused(converge_with: Callable[..., tuple[int, str]]) -> Callable[..., str]:
    """Runs converge.yml with settings that must make it fail; gives what it printed."""

    def run(**settings: object) -> str:
        code, output = converge_with(**settings)
        assert code != 0, f"{settings} did no harm:\n{output}"
        return output

    return run


@pytest.fixture
def healed(converge_with: Callable[..., tuple[int, str]]) -> Iterator[None]:
    """After a test that did harm: the role makes it good, and then has nothing more to do."""
    yield
    code, output = converge_with()
    assert code == 0, output
