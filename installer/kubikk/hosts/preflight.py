"""Whether hosts are fit for what the cluster file wants of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kubikk.cluster import Cluster
from kubikk.hosts.checks import CONNECTION, examine
from kubikk.hosts.findings import Finding
from kubikk.hosts.probes import connections, probe_all
from kubikk.hosts.reachability import try_all


@dataclass(frozen=True)
class PreflightReport:
    """All findings.

    Attributes:
        findings: by host, in the cluster's order.
    """

    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What has to be mended first."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is worth knowing."""
        return tuple(finding for finding in self.findings if finding.level == "warning")

    @property
    def unreachable(self) -> tuple[str, ...]:
        """Hosts that could not be asked."""
        return tuple(finding.host for finding in self.errors if finding.check == CONNECTION)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = Counter(finding.level for finding in self.findings)
        return {
            "errors": counts["error"],
            "warnings": counts["warning"],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def preflight(cluster: Cluster, *, become_password: str | None = None) -> PreflightReport:
    """Probes all hosts at once and runs all checks. Changes nothing on them.

    Args:
        cluster: the cluster.
        become_password: sudo's password, where it wants one.
    """
    with connections(cluster, become_password) as found:
        probes = probe_all(cluster, found)
        return PreflightReport(examine(cluster, probes, try_all(cluster, found)))
