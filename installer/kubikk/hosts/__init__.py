"""Hosts over SSH: whether they are fit for a cluster (preflight), and how the cluster on them is (status)."""

from kubikk.hosts.findings import Finding
from kubikk.hosts.nodes import NodeStatus
from kubikk.hosts.preflight import PreflightReport, preflight
from kubikk.hosts.status import ClusterStatus, ComponentStatus, HostStatus, status

__all__ = [
    "ClusterStatus",
    "ComponentStatus",
    "Finding",
    "HostStatus",
    "NodeStatus",
    "PreflightReport",
    "preflight",
    "status",
]
