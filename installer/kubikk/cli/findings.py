"""The findings of preflight."""

from __future__ import annotations

from rich.markup import escape

from kubikk.cli.console import stdout
from kubikk.hosts.preflight import PreflightReport

_STYLES = {"error": "bold red", "warning": "yellow", "ok": "green"}


def print_findings(report: PreflightReport) -> None:
    """Prints what is wrong, host by host, each with what to do about it."""
    console = stdout()
    for finding in report.findings:
        if finding.level == "ok":
            continue
        console.print(f"[{_STYLES[finding.level]}]{finding.level}[/] {escape(finding.host)}: {escape(finding.message)}")
        if finding.remedy:
            console.print(f"    {escape(finding.remedy)}")
    console.print(f"{len(report.errors)} errors, {len(report.warnings)} warnings")
