"""Commands for the encryption of Secrets in etcd."""

from __future__ import annotations

import typer

from kubikk.cli.console import stdout
from kubikk.cli.options import DEFAULT_FILE, AskBecomePass, ClusterFile, become_password, existing

app = typer.Typer(help="Encryption of Secrets in etcd.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """A group of one command is still a group."""


@app.command()
def rotate(file: ClusterFile = DEFAULT_FILE, ask_become_pass: AskBecomePass = False) -> None:
    """Encrypt all Secrets with a new key and take the old one away; API servers restart one by one, three times."""
    from kubikk.cli.display import display
    from kubikk.cli.report import print_changes
    from kubikk.operations.encryption import rotate as change
    from kubikk.operations.run import RunOptions
    from kubikk.operations.workspace import open_workspace

    workspace = open_workspace(existing(file))
    password = become_password(ask_become_pass)
    with display() as shown:
        done = change(workspace, shown, RunOptions(become_password=password, on_event=shown.on_event))
    if done.failed:
        print_changes(done.runs[-1])
        raise typer.Exit(1)
    seconds = sum(each.seconds for each in done.runs)
    stdout().print(f"{done.secrets} Secrets are encrypted with {done.key}; the old key is gone ({seconds:.1f} s)")
    stdout().print(f"back up {workspace.pki / 'encryption.key'}: without it no Secret in etcd can be read")
