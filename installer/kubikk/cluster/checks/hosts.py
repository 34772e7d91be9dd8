"""Hosts against each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from kubikk.cluster.checks.draft import Draft, DraftHost, Finding
from kubikk.cluster.document import Document

_FOR_NODES = ("labels", "taints", "runtime", "provider_id")


def duplicates(draft: Draft, document: Document) -> Iterator[Finding]:
    """Names and addresses that two hosts have."""
    for key, what in (("name", "the name"), ("address", "the address"), ("ipv6_address", "the address")):
        first: dict[Hashable, DraftHost] = {}
        for host in draft.hosts:
            value = getattr(host, key)
            if value is None:
                continue
            before = first.setdefault(value, host)
            if before is not host:
                line = document.line((*before.location, key))
                other = f"the host {before.label} in line {line}" if key != "name" else f"the host in line {line}"
                yield Finding(
                    (*host.location, key),
                    f"{what} {value} is already that of {other}",
                    f"Give each host {'a name' if key == 'name' else 'an address'} of its own.",
                )


def control_plane(draft: Draft) -> Iterator[Finding]:
    """At least one host runs the control plane."""
    if draft.roles_known and draft.hosts and not any("control-plane" in (host.roles or ()) for host in draft.hosts):
        yield Finding(("hosts",), "no host has the role control-plane", "Give it to one host, or to three.")


def etcd_members(draft: Draft) -> Iterator[Finding]:
    """The number of etcd members is odd: an even one survives no more failures and has more ways to fail."""
    if not draft.roles_known:
        return
    dedicated = [host for host in draft.hosts if "etcd" in (host.roles or ())]
    members = dedicated or [host for host in draft.hosts if "control-plane" in (host.roles or ())]
    if members and len(members) % 2 == 0 and draft.value("etcd", "allow_even") is not True:
        count = len(members)
        role = "etcd" if dedicated else "control-plane"
        names = ", ".join(host.label for host in members)
        stacked = "" if dedicated else "; without the role etcd anywhere, control-plane hosts run it"
        remedy = f"Give the role {role} to {count - 1} or {count + 1} hosts"
        if not dedicated:
            remedy += ", or the role etcd to an odd number of hosts"
        yield Finding(("hosts",), f"{count} hosts run etcd ({names}), expected an odd number{stacked}", f"{remedy}.")


def settings_of_nodes(draft: Draft) -> Iterator[Finding]:
    """Labels, taints, a runtime and a provider ID only make sense where kubelet runs."""
    for host in draft.hosts:
        if host.roles == frozenset({"etcd"}):
            for key in _FOR_NODES:
                if key in host.keys and draft.given(*host.location, key):
                    yield Finding(
                        (*host.location, key),
                        f"{key} has no effect: the host {host.label} runs etcd only and is no node",
                        f"Remove {key}, or give the host the role worker too.",
                    )
