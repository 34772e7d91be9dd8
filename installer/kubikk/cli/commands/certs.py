"""Commands for certificates."""

from __future__ import annotations

from typing import Annotated

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import DEFAULT_FILE, AskBecomePass, ClusterFile, Json, become_password, existing
from kubikk.errors import KubikkError

app = typer.Typer(help="Certificates: when they expire, and new ones.", no_args_is_help=True)

Within = Annotated[int, typer.Option("--within", min=0, metavar="DAYS", help="What counts as soon.")]


@app.command()
def show(
    file: ClusterFile = DEFAULT_FILE,
    within: Within = 30,
    ask_become_pass: AskBecomePass = False,
    json: Json = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print metrics in Prometheus' text format.")] = False,
) -> None:
    """Show every certificate, here and on the hosts; exit code 1 where one expires soon or a host does not answer."""
    from kubikk.cli.certificate_table import as_dicts, print_certificates, print_metrics
    from kubikk.operations.certificates import everywhere
    from kubikk.operations.workspace import open_workspace

    if json and prometheus:
        raise KubikkError("--json and --prometheus exclude each other")
    found = everywhere(open_workspace(existing(file)), become_password(ask_become_pass))
    if json:
        print_json(as_dicts(found, within))
    elif prometheus:
        print_metrics(found)
    else:
        print_certificates(found, within)
    if found.expiring(within) or found.silent:
        raise typer.Exit(1)


@app.command()
def renew(file: ClusterFile = DEFAULT_FILE, ask_become_pass: AskBecomePass = False) -> None:
    """Issue every certificate but the authorities' anew and restart what uses them, etcd and API servers one by one."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.certificates import renew as issue
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    with display() as shown:
        result = issue(workspace, shown, RunOptions(become_password=password, on_event=shown.on_event))
    print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)


@app.command(name="rotate-ca")
def rotate_ca(
    file: ClusterFile = DEFAULT_FILE,
    ask_become_pass: AskBecomePass = False,
    pause: Annotated[
        bool,
        typer.Option(
            "--pause",
            help="Stop when old and new authorities are trusted; without it, the same command then goes on.",
        ),
    ] = False,
) -> None:
    """Replace all certificate authorities; old and new ones are trusted in between, and everything restarts thrice."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.authorities import rotate
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace
    from kubikk.pki.rotation import begun

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    with display() as shown:
        options = RunOptions(become_password=password, on_event=shown.on_event)
        done = rotate(workspace, shown, options, pause=pause)
    if done[-1].summary.failed:
        print_changes(done[-1])
        raise typer.Exit(1)
    seconds = sum(each.seconds for each in done)
    if begun(workspace.pki):
        stdout().print(f"old and new authorities are trusted ({seconds:.1f} s); restart pods that talk to the API,")
        stdout().print("then run `kubikk certs rotate-ca` again")
    else:
        stdout().print(f"all certificates are of new authorities ({seconds:.1f} s): back up {workspace.pki}")
