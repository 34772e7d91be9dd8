"""The load balancer and its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.cluster.checks.draft import Draft, Finding
from kubikk.cluster.syntax import is_ipv4

_ENDPOINT = ("api", "endpoint")


def endpoint(draft: Draft) -> Iterator[Finding]:
    """External load balancers and keepalived have an endpoint; the local one has none."""
    if not draft.valid("api", "load_balancer") or not draft.valid(*_ENDPOINT):
        return
    kind, given = draft.value("api", "load_balancer"), draft.given(*_ENDPOINT)
    if kind == "local" and given is not None:
        yield Finding(
            _ENDPOINT,
            "the endpoint has no effect with load_balancer: local, where every host has its own",
            "Remove it, or write load_balancer: external or keepalived; more names for certificates go to extra_sans.",
        )
    if kind == "external" and given is None:
        yield Finding(
            ("api", "load_balancer"),
            "an external load balancer needs its name or address",
            "Add api.endpoint, for example endpoint: k8s.example.com.",
        )
    if kind == "keepalived":
        yield from _virtual_address(draft, given)


def _virtual_address(draft: Draft, given: str | None) -> Iterator[Finding]:
    if given is None:
        yield Finding(
            ("api", "load_balancer"),
            "keepalived needs the virtual address",
            "Add api.endpoint with a free address in the control-plane hosts' network.",
        )
    elif not is_ipv4(given):
        yield Finding(
            _ENDPOINT,
            f"{given!r} is a name; keepalived needs an IPv4 address",
            "Write the address, and the name in extra_sans.",
        )
    for host in draft.hosts:
        if host.address and str(host.address) == given:
            yield Finding(
                _ENDPOINT,
                f"the virtual address {given} is the host {host.label}'s own",
                "Choose an address in the hosts' network that nobody has.",
            )
