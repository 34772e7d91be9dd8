"""The command ``kubikk``."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

import typer

from kubikk.cli.commands import certs, clusters, encryption, etcd, files, journal, labs, nodes
from kubikk.cli.console import print_error, print_json, stderr
from kubikk.errors import KubikkError, RunInterruptedError

# What Ctrl-C ends with, as in a shell; typer says it in this way, too.
INTERRUPTED = 130

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
journal.register(app)
app.add_typer(certs.app, name="certs")
app.add_typer(encryption.app, name="encryption")
app.add_typer(etcd.app, name="etcd")
app.add_typer(nodes.app, name="node")
app.add_typer(labs.app, name="lab")


def run() -> None:
    """Runs a command.

    Exit codes: 0 done, 1 failed, 2 wrong usage or (``plan``) something to do, 130 interrupted.
    """
    # Also where a shell started it in the background and ignores Ctrl-C for it: who asks it to stop is heard.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = app(standalone_mode=False) or 0
    except RunInterruptedError as interrupt:
        stderr().print(f"{interrupt.message}\nnext: {interrupt.remedy}", markup=False)
        _leave(INTERRUPTED)
    except KubikkError as error:
        if os.environ.get("KUBIKK_DEBUG"):
            raise
        print_error(error)
        if "--json" in sys.argv:
            print_json({"error": error.to_dict()})
        code = 1
    except typer.TyperException as error:
        stderr().print(f"{error.format_message()}\nsee `kubikk --help` and `kubikk COMMAND --help`", markup=False)
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except OSError as error:
        if os.environ.get("KUBIKK_DEBUG"):
            raise
        print_error(KubikkError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")))
        code = 1
    if code == INTERRUPTED:
        stderr().print("interrupted; the same command again goes on from here")
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """Ends at once: threads that still ask hosts are not waited for, and a third Ctrl-C is no traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
