"""What ``kubikk certs show`` prints."""

from __future__ import annotations

import sys
from typing import Any

from rich.markup import escape
from rich.table import Table

from kubikk.cli.console import stdout
from kubikk.operations.certificates import Found

_HERE = "(here)"


def print_certificates(found: Found, within: int) -> None:
    """Prints a table, the first to expire first."""
    console = stdout()
    table = Table(box=None, pad_edge=False)
    for column in ("EXPIRES", "DAYS", "HOST", "CERTIFICATE", "NAME", "SIGNED BY"):
        table.add_column(column, no_wrap=True, justify="right" if column == "DAYS" else "left")
    for host, certificate in found.certificates:
        days = certificate.days_left(found.time)
        style = "bold red" if days < 0 else "yellow" if days < within else ""
        cells = (host or _HERE, certificate.path, certificate.common_name, certificate.issuer)
        table.add_row(f"{certificate.not_after:%Y-%m-%d}", str(days), *map(escape, cells), style=style)
    console.print(table)
    for host, reason in found.silent.items():
        console.print(f"[bold red]{escape(host)} does not answer:[/] {escape(reason)}")
    soon = found.expiring(within)
    if soon:
        console.print(f"[yellow]{len(soon)} expire within {within} days: `kubikk certs renew` issues new ones[/]")


def as_dicts(found: Found, within: int) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "time": found.time.isoformat(timespec="seconds"),
        "certificates": [
            {"host": host, "days_left": certificate.days_left(found.time), **certificate.to_dict()}
            for host, certificate in found.certificates
        ],
        "expiring": len(found.expiring(within)),
        "silent": found.silent,
    }


def print_metrics(found: Found) -> None:
    """Prints when each certificate expires, for a textfile collector or a blackbox probe."""
    lines = [
        "# HELP kubikk_certificate_expiry_seconds When a certificate expires, seconds since the epoch.",
        "# TYPE kubikk_certificate_expiry_seconds gauge",
    ]
    for host, certificate in found.certificates:
        labels = f'cluster="{_quoted(found.cluster)}",host="{_quoted(host)}",path="{_quoted(certificate.path)}"'
        lines.append(f"kubikk_certificate_expiry_seconds{{{labels}}} {certificate.not_after.timestamp():.0f}")
    sys.stdout.write("\n".join(lines) + "\n")


def _quoted(value: str) -> str:
    """A label's value: https://prometheus.io/docs/instrumenting/exposition_formats/."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
