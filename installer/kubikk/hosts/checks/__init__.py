"""Preflight checks: pure functions from what is known of hosts to findings."""

from kubikk.hosts.checks.table import CHECKS, CONNECTION, Check, examine

__all__ = ["CHECKS", "CONNECTION", "Check", "examine"]
