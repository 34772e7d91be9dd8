"""Finds firewalls between hosts: each listens for a moment where a service will, and the others connect to it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError
from kubikk.hosts import layout
from kubikk.hosts.layout import Port
from kubikk.hosts.probes import Connections, on_each
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Conversation

PEERS = 16
"""Nodes that each node tries; in a larger cluster not every pair is tried, but every node is, from this many others."""

_ATTEMPT = 3.0  # seconds
_LIFETIME = 60.0  # seconds, and more where hosts have to wait for each other
_LIFETIME_PER_HOST = 0.5


@dataclass(frozen=True)
class Attempt:
    """A connection that one host tries to another.

    Attributes:
        origin: name of the host that connects.
        target: name of the host that is connected to.
        port: where.
        result: open, refused, timeout, unreachable, or another word for a failure.
    """

    origin: str
    target: str
    port: Port
    result: str = ""


def wanted(cluster: Cluster) -> list[Attempt]:
    """Who needs to reach whom, for what Kubikk installs."""
    return [
        Attempt(origin.name, target.name, port)
        for origin in cluster.hosts
        for target in cluster.hosts
        for port in layout.ports(cluster, target)
        if origin is not target and port.peers and _needs(cluster, origin, target, port)
    ]


def _needs(cluster: Cluster, origin: Host, target: Host, port: Port) -> bool:
    if port.unit == "etcd":
        member, client = origin in cluster.etcd_hosts, origin.is_control_plane
        return member if port.number == layout.ETCD_PEER else client
    if port.unit == "kubelet":
        return origin.is_control_plane
    if port.unit == "kube-apiserver":
        return origin.is_node
    return origin.is_node and target.name in _neighbours(cluster, origin)


def _neighbours(cluster: Cluster, origin: Host) -> set[str]:
    nodes = [host.name for host in cluster.cluster_hosts]
    first = nodes.index(origin.name) + 1
    return set((nodes[first:] + nodes[:first])[:PEERS])


def try_all(cluster: Cluster, found: Connections) -> list[Attempt]:
    """Tries everything that ``wanted`` lists between the hosts that answer.

    Args:
        cluster: the cluster.
        found: connections to its hosts.

    Returns:
        The attempts that say something, with results: those to ports where something listened.
    """
    hosts = tuple(host for host in cluster.hosts if host.name in found.opened)
    token = secrets.token_hex(16)
    lifetime = _LIFETIME + _LIFETIME_PER_HOST * len(hosts)

    def begin(host: Host) -> Conversation:
        return found.opened[host.name].conversation(timeout=lifetime)

    def listen(host: Host) -> set[tuple[str, int]]:
        data = {
            "address": host.address,
            "listen": [[port.protocol, port.number] for port in layout.ports(cluster, host) if port.peers],
            "token": token,
            "timeout": _ATTEMPT,
            "lifetime": lifetime,
        }
        talks[host.name].start(source("reach"), data)
        return {(protocol, port) for protocol, port in _answer(talks[host.name])["listening"]}

    def try_them(host: Host) -> list[str]:
        targets = [
            [attempt.port.protocol, addresses[attempt.target], attempt.port.number] for attempt in own[host.name]
        ]
        talks[host.name].send(json.dumps({"targets": targets}))
        return [str(result) for result in _answer(talks[host.name])["results"]]

    talks = {name: talk for name, talk in on_each(hosts, begin).items() if isinstance(talk, Conversation)}
    try:
        # Everybody listens before anybody connects, and until everybody has connected.
        talking = tuple(host for host in hosts if host.name in talks)
        said = on_each(talking, listen)
        listening = {name: ports for name, ports in said.items() if not isinstance(ports, KubikkError)}
        own = possible(cluster, listening)
        addresses = {host.name: host.address for host in hosts}
        results = on_each(tuple(host for host in talking if host.name in own), try_them)
    finally:
        for talk in talks.values():
            talk.close()
    return [
        replace(attempt, result=result)
        for name, came in results.items()
        if isinstance(came, list)
        for attempt, result in zip(own[name], came, strict=True)
    ]


def possible(cluster: Cluster, listening: Mapping[str, Set[tuple[str, int]]]) -> dict[str, list[Attempt]]:
    """What can be tried, by the host that connects.

    Args:
        cluster: the cluster.
        listening: by host the protocols and ports that something listens on.
    """
    found: dict[str, list[Attempt]] = {}
    for attempt in wanted(cluster):
        place = (attempt.port.protocol, attempt.port.number)
        if attempt.origin in listening and place in listening.get(attempt.target, ()):
            found.setdefault(attempt.origin, []).append(attempt)
    return found


def _answer(talk: Conversation) -> dict[str, Any]:
    line = talk.line()
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise KubikkError("A host does not answer as it should", cause=f"instead of JSON it says: {line[:200]}")
    return data
