"""Commands of the lab: hosts on this machine."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kubikk.cli.console import print_json, stdout
from kubikk.cli.options import Json

if TYPE_CHECKING:
    from kubikk.lab import Lab
    from kubikk.progress import Progress

app = typer.Typer(help="Hosts on this machine, to try a cluster and to test with.", no_args_is_help=True)

Name = Annotated[str, typer.Option("--name", help="The lab's name.")]
HostName = Annotated[str, typer.Argument(help="A host of the lab, for example cp1.", metavar="HOST")]


def _lab(name: str, progress: Progress | None = None) -> Lab:
    from kubikk.lab import Lab
    from kubikk.progress import Silent

    return Lab(name, progress or Silent())


@app.command()
def up(
    name: Name = "lab",
    control_planes: Annotated[int, typer.Option(min=1, help="Number of control-plane hosts.")] = 3,
    workers: Annotated[int, typer.Option(min=0, help="Number of workers.")] = 2,
    release: Annotated[
        Literal["bookworm", "trixie"], typer.Option(help="Debian release of new hosts: bookworm is 12, trixie 13.")
    ] = "bookworm",
    hosts_only: Annotated[
        bool, typer.Option("--hosts-only", help="Boot hosts and write their cluster file; install nothing.")
    ] = False,
) -> None:
    """Boot hosts on this machine and bring a cluster up on them."""
    from kubikk.cli.display import display
    from kubikk.cli.nodes import print_nodes
    from kubikk.cli.report import print_changes, print_usage
    from kubikk.operations.lab import boot, lab_up
    from kubikk.operations.run import RunOptions

    if hosts_only:
        with display() as shown:
            file = boot(_lab(name, shown), Path.cwd(), control_planes=control_planes, workers=workers, release=release)
        stdout().print(f"the hosts are up; `kubikk up -f {file.relative_to(Path.cwd())}` installs a cluster on them")
        return
    with display() as shown:
        options = RunOptions(on_event=shown.on_event)
        workspace, result = lab_up(
            _lab(name, shown),
            Path.cwd(),
            shown,
            options,
            control_planes=control_planes,
            workers=workers,
            release=release,
        )
    print_changes(result)
    if result.summary.failed:
        raise typer.Exit(1)
    print_nodes(workspace)
    print_usage(workspace)


@app.command()
def down(
    name: Name = "lab",
    family: Annotated[
        bool, typer.Option("--family", help="Also labs named after it (NAME-…), which tests make for themselves.")
    ] = False,
) -> None:
    """Remove a lab: hosts, network, everything."""
    from kubikk.cli.display import display
    from kubikk.lab import list_labs

    with display() as shown:
        derived = [lab.name for lab in list_labs(shown) if family and lab.name.startswith(f"{name}-")]
        for each in (name, *derived):
            _lab(each, shown).down()


@app.command("list")
def list_(json: Json = False) -> None:
    """List labs and their hosts."""
    from kubikk.lab import list_labs
    from kubikk.progress import Silent

    labs = list_labs(Silent())
    if json:
        print_json({lab.name: [asdict(host) for host in lab.hosts()] for lab in labs})
        return
    for lab in labs:
        for host in lab.hosts():
            state = "running" if host.running else "off"
            stdout().print(f"{lab.name:<16} {host.name:<8} {host.role:<14} {host.address:<16} {state}")
    if not labs:
        stdout().print("no labs; make one with `kubikk lab up`")


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    host: HostName,
    command: Annotated[list[str] | None, typer.Argument(help="A command to run there instead of a shell.")] = None,
    name: Name = "lab",
) -> None:
    """Log in to a host of a lab."""
    argv = _lab(name).ssh_command(host, *(command or []))
    os.execvp(argv[0], argv)  # noqa: S606 (ssh takes the place of this process)


@app.command()
def kill(host: HostName, name: Name = "lab") -> None:
    """Cut a host's power, as by pulling its plug."""
    _lab(name).power_off(host)


@app.command()
def start(host: HostName, name: Name = "lab") -> None:
    """Give a host its power back."""
    _lab(name).power_on(host)
