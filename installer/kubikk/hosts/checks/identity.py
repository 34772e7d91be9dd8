"""Checks of what hosts are told apart by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from kubikk.errors import KubikkError
from kubikk.hosts.checks.view import Fault, View, error, warning
from kubikk.hosts.facts import HostFacts
from kubikk.pki import describe


def check_machine_id(view: View) -> Iterator[Fault]:
    """A machine-id at all; Kubernetes and systemd tell machines apart by it."""
    if view.facts.machine_id in ("", "uninitialized"):
        yield error("/etc/machine-id is empty", "Run systemd-machine-id-setup, then reboot.")


def check_address(view: View) -> Iterator[Fault]:
    """The addresses in the cluster file are the host's own."""
    for address in view.host.addresses:
        if address not in view.facts.addresses:
            own = ", ".join(other for other in view.facts.addresses if not other.startswith(("127.", "::1", "fe80:")))
            yield error(
                f"{address} is none of the host's addresses ({own or 'it has none'})",
                "Write the address that its network interface has; one that SSH needs in its place goes to ssh.host.",
            )


def check_certificate(view: View, now: datetime | None = None) -> Iterator[Fault]:
    """kubelet's client certificate, which it renews by itself unless the host was off for too long."""
    for path, content in view.facts.certificates.items():
        try:
            expiry = describe(path, content.encode()).not_after
        except KubikkError:
            continue  # kubelet itself says what is wrong with it
        if expiry <= (now or datetime.now(UTC)):
            yield warning(
                f"kubelet's client certificate {path} expired on {expiry:%Y-%m-%d %H:%M} UTC",
                "Run kubikk up, which writes one that is valid. See that the host's clock is right.",
            )


def shared(hosts: Mapping[str, HostFacts]) -> Iterator[tuple[str, str, Fault]]:
    """What several hosts have that each should have for itself: name of the check, host, fault."""
    for host, others in _same({name: facts.machine_id for name, facts in hosts.items()}):
        remedy = "Delete /etc/machine-id there, run systemd-machine-id-setup, and reboot: the hosts are copies."
        yield "machine-id", host, error(f"the machine-id is also that of {others}", remedy)
    for host, others in _same({name: facts.hostname for name, facts in hosts.items()}):
        remedy = "Run hostnamectl set-hostname there; nodes get their names from the cluster file all the same."
        yield (
            "hostname",
            host,
            warning(f"the host calls itself {hosts[host].hostname}, and so does {others}", remedy),
        )


def _same(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        others = [other for other, its in values.items() if its == value and other != name]
        if value and others:
            yield name, ", ".join(others)
