"""Commands for single hosts of a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from kubikk.cli.console import stdout
from kubikk.cli.options import DEFAULT_FILE, AskBecomePass, ClusterFile, become_password, existing
from kubikk.errors import KubikkError

app = typer.Typer(help="Single hosts of a cluster.", no_args_is_help=True)


# A group stays a group while it has one command.
@app.callback()
def _nodes() -> None:
    """Single hosts of a cluster."""


@app.command()
def remove(
    hosts: Annotated[list[str], typer.Argument(help="Names of hosts in the cluster file.", metavar="HOST...")],
    file: ClusterFile = DEFAULT_FILE,
    dead: Annotated[
        bool, typer.Option("--dead", help="They are gone for good: do what can be done without them.")
    ] = False,
    ask_become_pass: AskBecomePass = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the cluster's name first.")] = False,
) -> None:
    """Take hosts out of the cluster and out of its file: pods, etcd's member, Node, and all that was installed."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.removal import plan_removal
    from kubikk.operations.removal import remove as take_out
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    plan_removal(workspace, hosts, dead=dead)
    name, names = workspace.cluster.name, ", ".join(hosts)
    if not yes and typer.prompt(f"This takes {names} out of the cluster {name}. Type its name to go on") != name:
        raise KubikkError("that is not the cluster's name: nothing was touched")
    password = become_password(ask_become_pass)
    with display() as shown:
        options = RunOptions(become_password=password, on_event=shown.on_event)
        result = take_out(workspace, shown, options, hosts, dead=dead)
    print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    stdout().print(f"{names} left the cluster {name}, and {workspace.file.name} names them no more", markup=False)
