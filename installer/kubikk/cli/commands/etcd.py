"""Commands for etcd, the cluster's data store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import DEFAULT_FILE, AskBecomePass, ClusterFile, Json, become_password, existing
from kubikk.errors import KubikkError

app = typer.Typer(help="etcd, the cluster's data store: snapshots, restoring them, members.", no_args_is_help=True)


@app.command()
def snapshot(
    file: ClusterFile = DEFAULT_FILE,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it here instead of inventory/<name>/snapshots/.", dir_okay=False),
    ] = None,
    ask_become_pass: AskBecomePass = False,
    json: Json = False,
) -> None:
    """Take a snapshot of a healthy member, verify it by a scratch member, and bring it to this machine."""
    from kubikk.cli.display import display
    from kubikk.operations.run import RunOptions
    from kubikk.operations.snapshots import snapshot as take
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    with display() as shown:
        taken = take(workspace, shown, RunOptions(become_password=password, on_event=shown.on_event), output)
    if json:
        print_json(taken.to_dict())
        return
    stdout().print(
        f"{taken.file}\n  of {taken.member}, {taken.bytes / 1e6:.1f} MB, revision {taken.revision}; verified in "
        f"{taken.seconds:.1f} s: a member started on it has the same {taken.keys} keys and hash {taken.hash}",
        markup=False,
    )


@app.command()
def restore(
    snapshot: Annotated[
        Path | None,
        typer.Argument(help="A snapshot of `kubikk etcd snapshot`, or of a member's timer.", dir_okay=False),
    ] = None,
    file: ClusterFile = DEFAULT_FILE,
    from_member: Annotated[
        str | None,
        typer.Option(
            "--from-member",
            metavar="HOST",
            help="Take the data of this member, where the others are lost for good.",
        ),
    ] = None,
    ask_become_pass: AskBecomePass = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the cluster's name first.")] = False,
) -> None:
    """Give the whole cluster the data of a snapshot; what it has now is kept aside on the members."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes, print_usage
    from kubikk.operations.restore import require_snapshot
    from kubikk.operations.restore import restore as bring_back
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    if (snapshot is None) == (from_member is None):
        raise KubikkError("name a snapshot, or a member with --from-member")
    workspace = open_workspace(existing(file))
    if snapshot is not None:
        require_snapshot(snapshot)
    name = workspace.cluster.name
    members = ", ".join(host.name for host in workspace.cluster.etcd_hosts)
    what = snapshot or f"what {from_member} has"
    question = f"All that the cluster {name} has learnt since {what} was taken is gone afterwards (etcd on {members})."
    if not yes and typer.prompt(f"{question} Type its name to go on") != name:
        raise KubikkError("that is not the cluster's name: nothing was touched")
    password = become_password(ask_become_pass)
    with display() as shown:
        options = RunOptions(become_password=password, on_event=shown.on_event)
        result = bring_back(workspace, shown, options, file=snapshot, member=from_member)
    print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    print_usage(workspace)


@app.command()
def defrag(file: ClusterFile = DEFAULT_FILE, ask_become_pass: AskBecomePass = False) -> None:
    """Give space that etcd no longer uses back to the file system, one member after the other, the leader last."""
    from kubikk.cli.display import display
    from kubikk.operations.defragment import defragment
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    with display() as shown:
        result = defragment(workspace, shown, RunOptions(become_password=password, on_event=shown.on_event))
    for host in result.summary.hosts.values():
        for change in host.changed:
            stdout().print(change, markup=False)
    for host in result.summary.failed.values():
        if host.error is not None:
            raise host.error
