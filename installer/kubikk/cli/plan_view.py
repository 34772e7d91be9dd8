"""What ``kubikk plan`` prints."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape

from kubikk.ansible.summary import HostSummary, Summary
from kubikk.cli.console import stdout
from kubikk.operations.plan import Plan

# Most disruptive first: what a restart of each is felt by.
_DISRUPTION = (
    "etcd",
    "kube-apiserver",
    "containerd",
    "crio",
    "docker",
    "cri-docker",
    "kubelet",
    "haproxy",
    "keepalived",
    "flanneld",
    "kube-proxy",
)
_PEM = "-----BEGIN"


def print_plan(found: Plan) -> None:
    """Prints drains and restarts, most disruptive first, then each host's changes, and a line that sums it up."""
    console = stdout()
    if found.empty:
        console.print("nothing to do: every host is in the state that the cluster file describes")
        return
    _print_drains(console, found.summary)
    _print_restarts(console, found.summary)
    for name, host in sorted(found.summary.hosts.items()):
        if host.changed:
            console.print(f"[bold]{escape(name)}[/]")
            _print_changes(console, host)
    hosts = [host for host in found.summary.hosts.values() if host.changed or host.restarted]
    changed, restarted = (sum(len(getattr(host, kind)) for host in hosts) for kind in ("changed", "restarted"))
    console.print(f"\n{changed} changes and {restarted} starts or restarts on {len(hosts)} hosts; nothing was touched")


def _print_drains(console: Console, summary: Summary) -> None:
    for name, host in sorted(summary.hosts.items()):
        if f"drain node {name}" in host.changed:
            console.print(
                f"[red]drain[/] {escape(name)}: its pods move to other nodes, and its container runtime changes"
            )


def _print_restarts(console: Console, summary: Summary) -> None:
    units: dict[str, list[str]] = {}
    reasons: dict[str, set[str]] = {}
    for name, host in sorted(summary.hosts.items()):
        for unit in host.restarted:
            units.setdefault(unit, []).append(name)
            reasons.setdefault(unit, set()).add(host.reasons.get(unit, ""))
    for unit in sorted(units, key=_disruption):
        why = "; ".join(sorted(filter(None, reasons[unit])))
        verb = "start" if reasons[unit] <= {"it is inactive", "it is failed"} else "restart"
        console.print(f"[yellow]{verb}[/] {escape(unit)} on {escape(', '.join(units[unit]))}: {escape(why)}")
    if units:
        console.print()


def _disruption(unit: str) -> tuple[int, str]:
    return (_DISRUPTION.index(unit) if unit in _DISRUPTION else len(_DISRUPTION), unit)


def _print_changes(console: Console, host: HostSummary) -> None:
    diffs = {diff.get("after_header"): diff for diff in host.diffs}
    for item in host.changed:
        diff = diffs.get(item, {})
        created = diff.get("before") == "" or (not diff and item.startswith("/"))
        sign = "[green]+[/]" if created or item.endswith(" created") else "[yellow]~[/]"
        if item.startswith("removed "):
            sign = "[red]-[/]"
        console.print(f"  {sign} {escape(item)}")
        for line in changed_lines(diff):
            colour = "red" if line.startswith("-") else "green"
            console.print(f"      [{colour}]{escape(line)}[/]")


def changed_lines(diff: dict[str, Any]) -> Iterator[str]:
    """Lines that go and come: of a unit that is the set of flags, since each stands on a line of its own.

    That a flag is the last one, which no backslash follows, is no difference.
    """
    before, after = diff.get("before"), diff.get("after")
    if not isinstance(before, str) or not isinstance(after, str) or not before:
        return
    if after.startswith(_PEM):
        yield "+ another certificate"
        return
    old, new = ([line.removesuffix(" \\") for line in text.splitlines()] for text in (before, after))
    for line in difflib.unified_diff(old, new, lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield f"{line[0]} {line[1:].strip()}"
