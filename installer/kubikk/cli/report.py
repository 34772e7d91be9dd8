"""What is printed at the end of a run."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from kubikk.cli.console import print_error, stdout
from kubikk.operations.run import RunResult
from kubikk.operations.workspace import Workspace

_NAMES = 6


def print_changes(result: RunResult) -> None:
    """What changed where, how long each phase took, and which hosts dropped out."""
    console = stdout()
    summary = result.summary
    for name, host in sorted(summary.hosts.items()):
        if host.changed:
            shown = ", ".join(item.rsplit("/", 1)[-1] for item in host.changed[:_NAMES])
            more = f" and {len(host.changed) - _NAMES} more" if len(host.changed) > _NAMES else ""
            console.print(f"{escape(name):<12} {len(host.changed)} changes: [dim]{escape(shown)}{more}[/]")
        if host.restarted:
            console.print(f"{'':<12} started or restarted: {escape(', '.join(host.restarted))}")
    if not summary.change_count and not summary.failed:
        console.print("nothing to do: no file changed, nothing was restarted")
    phases = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in summary.phases.items())
    console.print(f"{summary.change_count} changes in {result.seconds:.1f} s [dim]({phases})[/]")
    _print_failures(console, result)


def _print_failures(console: Console, result: RunResult) -> None:
    for host in result.summary.failed.values():
        if host.error:
            print_error(host.error, console)
    if result.summary.failed:
        console.print(f"the whole log is {result.directory / 'ansible.log'}; `kubikk report` shows the run as a page")


def print_usage(workspace: Workspace) -> None:
    """How to use the cluster."""
    console = stdout()
    console.print(f"\n[bold]cluster {escape(workspace.cluster.name)} is ready[/]")
    console.print(f"  export KUBECONFIG={workspace.kubeconfig}")
    console.print("  kubectl get nodes")
