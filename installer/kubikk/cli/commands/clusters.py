"""Commands that work on a cluster's hosts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import DEFAULT_FILE, AskBecomePass, ClusterFile, Json, Limit, become_password, existing
from kubikk.cluster.hosts import Host
from kubikk.errors import KubikkError

Wait = Annotated[
    int | None,
    typer.Option(
        "--wait",
        min=1,
        metavar="SECONDS",
        help="How long to wait for each component to be healthy, and for nodes to be Ready.",
        show_default="60 to 180",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(preflight)
    app.command()(plan)
    app.command()(up)
    app.command()(upgrade)
    app.command()(status)
    app.command()(kubeconfig)
    app.command()(reset)


def preflight(file: ClusterFile = DEFAULT_FILE, ask_become_pass: AskBecomePass = False, json: Json = False) -> None:
    """Check whether the hosts are fit, and say what to do where they are not. Changes nothing."""
    from kubikk.cli.findings import print_findings
    from kubikk.hosts.preflight import preflight as examine
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    report = examine(workspace.cluster, become_password=become_password(ask_become_pass))
    if json:
        print_json(report.to_dict())
    else:
        print_findings(report)
    if report.errors:
        raise typer.Exit(1)


def plan(
    file: ClusterFile = DEFAULT_FILE,
    limit: Limit = None,
    ask_become_pass: AskBecomePass = False,
    json: Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the plan here, for `kubikk up --plan`.")
    ] = None,
) -> None:
    """Show what `up` would do. Changes nothing; exit code 2 where there is something to do."""
    from kubikk.cli.display import display
    from kubikk.cli.plan_view import print_plan
    from kubikk.operations.plan import plan as find_out
    from kubikk.operations.plan import save
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    hosts = _known_hosts(workspace.cluster.hosts, limit)
    with display() as shown:
        found = find_out(workspace, shown, RunOptions(hosts, password, shown.on_event))
    if output is not None:
        save(found, output)
    if json:
        print_json(found.as_dict())
    else:
        print_plan(found)
    if not found.empty:
        raise typer.Exit(2)


def up(
    file: ClusterFile = DEFAULT_FILE,
    limit: Limit = None,
    ask_become_pass: AskBecomePass = False,
    *,
    skip_preflight: Annotated[bool, typer.Option("--skip-preflight", help="Do not examine the hosts first.")] = False,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="Do exactly what this file of `kubikk plan -o` says, or nothing.", dir_okay=False),
    ] = None,
    wait: Wait = None,
    json: Json = False,
) -> None:
    """Bring the cluster into the state that its file describes."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes, print_usage
    from kubikk.operations.apply import up as apply
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    hosts = _known_hosts(workspace.cluster.hosts, limit)
    with display() as shown:
        options = RunOptions(hosts, password, shown.on_event, wait=wait)
        result = apply(workspace, shown, options, check=not skip_preflight, plan=plan)
    if json:
        print_json(result.to_dict())
    else:
        print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    if not json:
        print_usage(workspace)


def upgrade(
    file: ClusterFile = DEFAULT_FILE,
    ask_become_pass: AskBecomePass = False,
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="For example v1.37.2.", show_default="the cluster file's"),
    ] = None,
    batch: Annotated[
        str, typer.Option("--batch", metavar="N|N%", help="How many workers are upgraded at a time.")
    ] = "1",
    drain_timeout: Annotated[
        int | None,
        typer.Option(
            "--drain-timeout",
            min=1,
            metavar="SECONDS",
            help="How long pods may take to leave a node.",
            show_default="kubernetes.drain_timeout",
        ),
    ] = None,
    force_drain: Annotated[
        bool,
        typer.Option(
            "--force-drain",
            help="Delete pods that have not left in that time, against their PodDisruptionBudgets, "
            "and pods that nothing starts again.",
        ),
    ] = False,
    wait: Wait = None,
    json: Json = False,
) -> None:
    """Bring a running cluster to another version of Kubernetes, one host after the other."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.run import RunOptions
    from kubikk.operations.upgrade import Manner
    from kubikk.operations.upgrade import upgrade as bring
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    version = to or workspace.cluster.kubernetes.version
    with display() as shown:
        options = RunOptions(become_password=become_password(ask_become_pass), on_event=shown.on_event, wait=wait)
        manner = Manner(batch, drain_timeout, force_drain)
        result = bring(workspace, shown, options, to=version, manner=manner)
    if json:
        print_json(result.to_dict())
    else:
        print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    if not json:
        stdout().print(f"cluster {workspace.cluster.name} runs Kubernetes {version}")


def status(file: ClusterFile = DEFAULT_FILE, ask_become_pass: AskBecomePass = False, json: Json = False) -> None:
    """Show every component of every host: version, health, and when its certificates expire."""
    from kubikk.cli.status_table import print_status
    from kubikk.hosts.status import status as examine
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    report = examine(workspace.cluster, workspace.directory, become_password=become_password(ask_become_pass))
    if json:
        print_json(report.to_dict())
    else:
        print_status(report)
    if not report.healthy:
        raise typer.Exit(1)


def kubeconfig(
    file: ClusterFile = DEFAULT_FILE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here, readable by you only.")] = None,
) -> None:
    """Print a kubeconfig whose current context is an API server that answers."""
    from kubikk.operations.kubeconfig import kubeconfig as render
    from kubikk.operations.workspace import open_workspace

    text = render(open_workspace(existing(file)))
    if output is None:
        typer.echo(text, nl=False)
        return
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(text)


def reset(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="HOST...", help="Reset these hosts only.", show_default="all")
    ] = None,
    file: ClusterFile = DEFAULT_FILE,
    ask_become_pass: AskBecomePass = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the cluster's name first.")] = False,
) -> None:
    """Take Kubernetes off the hosts, with all data there. Single hosts keep their place in the cluster file."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.reset import reset as remove
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    name = workspace.cluster.name
    chosen = _known_hosts(workspace.cluster.hosts, hosts)
    where = ", ".join(chosen) if chosen else f"all {len(workspace.cluster.hosts)} hosts"
    what = f"takes {where} out of the cluster {name}" if chosen else f"deletes the cluster {name} from {where}"
    if not yes and typer.prompt(f"This {what}. Type the cluster's name to go on") != name:
        raise KubikkError("that is not the cluster's name: nothing was touched")
    password = become_password(ask_become_pass)
    with display() as shown:
        result = remove(workspace, shown, RunOptions(chosen, password, shown.on_event))
    print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    stdout().print(f"Kubernetes is gone from {where}; certificates and the cluster file stay in {workspace.directory}")


def _known_hosts(hosts: Sequence[Host], limit: list[str] | None) -> tuple[str, ...]:
    """The hosts named, checked against the cluster file.

    Raises:
        KubikkError: one is not in it.
    """
    names = {host.name for host in hosts}
    unknown = [name for name in limit or [] if name not in names]
    if unknown:
        raise KubikkError(
            f"no host {', '.join(unknown)} in the cluster file", remedy=f"hosts are {', '.join(sorted(names))}"
        )
    return tuple(limit or ())
