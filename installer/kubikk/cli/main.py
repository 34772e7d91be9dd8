"""The command ``kubikk``."""

from __future__ import annotations

import os
import sys

import click
import typer

from kubikk.cli.commands import clusters, files, labs
from kubikk.cli.console import print_error, stderr
from kubikk.errors import KubikkError

app = typer.Typer(
    name="kubikk",
    help="Kubernetes on bare metal and VMs: one YAML file, one command.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _main(
    debug: bool = typer.Option(False, "--debug", envvar="KUBIKK_DEBUG", help="Show Python's traceback of an error."),
) -> None:
    if debug:
        os.environ["KUBIKK_DEBUG"] = "1"


files.register(app)
clusters.register(app)
app.add_typer(labs.app, name="lab")


def run() -> None:
    """Runs a command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        app(standalone_mode=False)
    except KubikkError as error:
        if os.environ.get("KUBIKK_DEBUG"):
            raise
        print_error(error)
        sys.exit(1)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        stderr().print("interrupted; the same command again goes on from here")
        sys.exit(130)
    except OSError as error:
        if os.environ.get("KUBIKK_DEBUG"):
            raise
        print_error(KubikkError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")))
        sys.exit(1)
