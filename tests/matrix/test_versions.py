"""Every supported ansible-core with every Python it runs on here: unit tests, the playbooks' syntax, and a cluster.

Not in the default run: `python -m pytest tests/matrix`. A row whose Python is not on this machine is skipped, and says
so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubikk.paths import content_root
from tests.cluster.support.labs import own_lab

pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]

# What each release runs on: https://docs.ansible.com/projects/ansible/latest/reference_appendices/release_and_maintenance.html
PYTHONS = {
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13"),
    "2.21": ("3.12", "3.13"),
    "2.22": ("3.13",),
}
ROWS = [(core, python) for core, pythons in PYTHONS.items() for python in pythons]
_UV = Path(sys.executable).parent / "uv"


def _run(*command: str | Path, cwd: Path, timeout: float = 3000) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
        env={name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VIRTUAL_ENV"))},
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}"
    return done.stdout


def _interpreter(version: str) -> str | None:
    """A Python of this version on this machine, or None."""
    found = [*sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")), Path(f"/usr/bin/python{version}")]
    return next((str(path) for path in found if path.exists()), None)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Environments that were made, by (ansible-core, Python)."""
    return {}


@pytest.fixture
def environment(
    request: pytest.FixtureRequest,
    environments: dict[tuple[str, str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """An environment with Kubikk, everything it asks for as requirements.txt pins it, and this ansible-core."""
    core, python = row = request.param
    if row in environments:
        return environments[row]
    interpreter = _interpreter(python)
    if interpreter is None:
        pytest.skip(f"there is no Python {python} on this machine")
    directory = tmp_path_factory.mktemp(f"ansible-{core}-python-{python}-")
    _run(_UV, "venv", "--quiet", "--python", interpreter, directory / "venv", cwd=directory)
    pins = (content_root() / "requirements.txt").read_text().splitlines()
    # ansible-lint asks for an ansible-core of its own time, and is run with the pinned one.
    constraints = [line for line in pins if not line.startswith(("ansible-core", "ansible-compat", "ansible-lint"))]
    (directory / "constraints.txt").write_text("\n".join(constraints))
    tests = ["pytest", "pytest-timeout", "pytest-testinfra", "jsonschema"]
    install: list[str | Path] = [
        _UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        directory / "venv",
        "--prerelease",
        "if-necessary",
    ]
    install += ["--constraint", directory / "constraints.txt", "--editable", content_root()]
    _run(*install, f"ansible-core=={core}.*", *tests, cwd=directory)
    environments[row] = directory / "venv"
    return directory / "venv"


def _identify(row: tuple[str, str]) -> str:
    return f"ansible-core {row[0]}, Python {row[1]}"


every = pytest.mark.parametrize("environment", ROWS, indirect=True, ids=_identify)
NEWEST = [(core, pythons[-1]) for core, pythons in PYTHONS.items()]


@every
def test_playbooks_parse(environment: Path, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.yml"
    groups = "\n".join(f"    {name}: {{hosts: {{h1: {{}}}}}}" for name in ("etcd", "kube_control_plane", "k8s_cluster"))
    hosts.write_text(f"all:\n  children:\n{groups}\n")
    for playbook in sorted((content_root() / "playbooks").glob("*.yml")):
        program = environment / "bin/ansible-playbook"
        _run(program, "--syntax-check", "-i", hosts, playbook, cwd=content_root())


@every
def test_unit_tests(environment: Path) -> None:
    # Those of the lab and of artifacts have nothing of Ansible in them.
    parts = [f"tests/unit/{name}" for name in ("ansible", "cluster", "inventory", "plugins", "operations", "pki")]
    _run(environment / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *parts, cwd=content_root())


@pytest.fixture
def hosts(lab_name: str, tmp_path: Path) -> Iterator[Path]:
    with own_lab(f"{lab_name}-matrix", tmp_path, control_planes=1, workers=1) as own:
        yield own.file


@pytest.mark.parametrize("environment", NEWEST, indirect=True, ids=_identify)
def test_a_cluster(environment: Path, hosts: Path) -> None:
    program = environment / "bin/kubikk"
    _run(program, "up", "-f", hosts, cwd=hosts.parent)
    _run(program, "status", "-f", hosts, cwd=hosts.parent)
    _run(program, "plan", "-f", hosts, cwd=hosts.parent)


@pytest.fixture
def lab_name(pytestconfig: pytest.Config) -> str:
    """Labs are named after the lab under test, so that one clean-up finds them all."""
    return Path(pytestconfig.getoption("--cluster-dir")).resolve().name
