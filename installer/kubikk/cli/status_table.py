"""The tables of ``kubikk status``."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kubikk.cli.console import stdout
from kubikk.hosts.status import ClusterStatus, ComponentStatus

_SOON = timedelta(days=30)


def print_status(report: ClusterStatus) -> None:
    """Prints every component of every host, then nodes, then certificates that expire soon."""
    console = stdout()
    table = Table(box=None, pad_edge=False)
    for column in ("HOST", "COMPONENT", "VERSION", "STATE", "SINCE", "RESTARTS", "HEALTH", "CERTIFICATES"):
        table.add_column(column, no_wrap=column != "HEALTH")
    for host in report.hosts:
        if host.error is not None:
            table.add_row(host.name, "", "", "[bold red]no answer[/]", "", "", escape(host.error.message), "")
            continue
        first = min((certificate.not_after for certificate in host.certificates), default=None)
        until = f"{first:%Y-%m-%d}" if first else ""
        for component in host.components:
            table.add_row(
                host.name,
                component.name,
                component.version,
                component.active if component.installed else "not installed",
                f"{component.since:%m-%d %H:%M}" if component.since else "",
                str(component.restarts),
                _health(component),
                until,
            )
    console.print(table)
    _print_nodes(console, report)
    _print_etcd(console, report)
    for place, certificate in report.expiring(_SOON):
        console.print(f"[yellow]certificate {escape(place)} expires {certificate.not_after:%Y-%m-%d}[/]")
    console.print("[green]healthy[/]" if report.healthy else "[bold red]not healthy[/]")


def _print_etcd(console: Console, report: ClusterStatus) -> None:
    ages = [host.snapshot_age for host in report.etcd.hosts if host.snapshot_age is not None]
    newest = f"the newest snapshot on them is {min(ages) / 3600:.1f} h old" if ages else "there is no snapshot on them"
    leader = next((host.host for host in report.etcd.hosts if host.leader), "none")
    size = max((host.bytes for host in report.etcd.hosts), default=0) / 1e6
    count = f"{len(report.etcd.healthy)} of {max(len(report.etcd.members), len(report.etcd.hosts))} members of etcd"
    console.print(f"{count} are well, leader {leader}, {size:.1f} MB; {newest}", markup=False)
    for problem in report.etcd.problems:
        console.print(f"[bold red]{escape(problem)}[/]")


def _health(component: ComponentStatus) -> str:
    return "[green]healthy[/]" if component.healthy else f"[bold red]{escape(component.problem or 'not running')}[/]"


def _print_nodes(console: Console, report: ClusterStatus) -> None:
    if report.api_error is not None:
        console.print(f"[bold red]the API does not answer:[/] {escape(report.api_error.message)}")
        return
    unready = [node.name for node in report.nodes if not node.ready]
    names = f"; not ready: {', '.join(unready)}" if unready else ""
    console.print(f"{len(report.nodes) - len(unready)} of {len(report.nodes)} nodes Ready{escape(names)}")
