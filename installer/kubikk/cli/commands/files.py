"""Commands that work on the cluster file and touch no host."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import DEFAULT_FILE, ClusterFile, Json, existing
from kubikk.errors import KubikkError

STARTER = """\
# A Kubernetes cluster. Every setting but the hosts has a default: see docs/reference/cluster-file.md.
name: {name}
ssh: {{user: root}}
hosts:
  - {{name: cp1, address: 10.0.0.11, roles: [control-plane]}}
  - {{name: w1, address: 10.0.0.21, roles: [worker]}}
"""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(init)
    app.command()(validate)
    app.command()(inventory)
    app.command("version")(show_version)


def init(file: ClusterFile = DEFAULT_FILE, name: str = typer.Option("cluster", help="Name of the cluster.")) -> None:
    """Write a cluster file to start from."""
    if file.exists():
        raise KubikkError(f"{file} exists", remedy="name another with -f")
    file.write_text(STARTER.format(name=name))
    stdout().print(f"wrote {file}: put your hosts' addresses into it, then run `kubikk preflight -f {file}`")


def validate(file: ClusterFile = DEFAULT_FILE, json: Json = False) -> None:
    """Check a cluster file."""
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    if json:
        print_json(workspace.cluster.model_dump(mode="json"))
    else:
        hosts = len(workspace.cluster.hosts)
        stdout().print(f"{file} is right: cluster {workspace.cluster.name}, {hosts} hosts")


def inventory(file: ClusterFile = DEFAULT_FILE) -> None:
    """Generate the Ansible inventory, with certificates and artifacts, without touching a host."""
    from kubikk.cli.display import display
    from kubikk.operations.prepare import prepare
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    with display() as shown:
        changed = prepare(workspace, shown)
    for path in changed:
        stdout().print(f"wrote {path}")
    hosts, playbook = _short(workspace.directory / "hosts.yml"), "playbooks/cluster.yml"
    stdout().print(f"inventory is current: ansible-playbook -i {hosts} {playbook}")


def show_version(json: Json = False) -> None:
    """Print the versions of Kubikk and of Kubernetes that it installs."""
    from kubikk.cluster.versions import DEFAULT, SUPPORTED

    if json:
        print_json({"kubikk": version("kubikk"), "kubernetes": sorted(SUPPORTED), "default": DEFAULT})
    else:
        stdout().print(f"kubikk {version('kubikk')}, Kubernetes {', '.join(sorted(SUPPORTED))} (default {DEFAULT})")


def _short(path: Path) -> Path:
    """The path relative to here, where it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
