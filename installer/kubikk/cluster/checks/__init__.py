"""What must hold between keys of the cluster file; each check yields every violation it finds."""

from kubikk.cluster.checks.all import findings
from kubikk.cluster.checks.draft import Draft, Finding

__all__ = ["Draft", "Finding", "findings"]
