"""The part of a cluster file that is valid by itself, so that checks between keys need not wait for the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from kubikk.cluster.document import Location
from kubikk.cluster.models import Cluster
from kubikk.cluster.network import Ipv6
from kubikk.cluster.structure import keys, model_at
from kubikk.cluster.syntax import is_ipv4, is_ipv6

_NOTHING = object()


@dataclass(frozen=True)
class Finding:
    """A violation: where, what, and what to do."""

    location: Location
    message: str
    remedy: str


@dataclass(frozen=True)
class DraftHost:
    """What is known of a host; None stands for missing or invalid."""

    location: Location
    name: str | None
    address: IPv4Address | None
    ipv6_address: IPv6Address | None
    roles: frozenset[str] | None
    keys: frozenset[str]

    @property
    def label(self) -> str:
        """How to name it in a message."""
        return self.name or f"number {int(self.location[-1]) + 1}"

    @property
    def is_node(self) -> bool:
        """Whether it is known to run kubelet."""
        return bool(self.roles and self.roles & {"control-plane", "worker"})


class Draft:
    """A view of a document without what is invalid.

    Args:
        data: the document's content.
        invalid: locations of all problems known so far.
    """

    def __init__(self, data: Any, invalid: Collection[Location]) -> None:
        self._data = data
        self._invalid = invalid

    def valid(self, *location: str | int) -> bool:
        """Whether nothing is wrong at a location, around it or below it."""
        return not any(bad[: len(location)] == location or location[: len(bad)] == bad for bad in self._invalid)

    def holds(self, *location: str | int) -> bool:
        """Whether a location is in the file, even as null, and valid."""
        return self._at(location) is not _NOTHING and self.valid(*location)

    def given(self, *location: str | int) -> Any:
        """The value in the file; None where it is missing, null or invalid."""
        return self._at(location) if self.holds(*location) else None

    def _at(self, location: Location) -> Any:
        value = self._data
        for part in location:
            inside = part in value if isinstance(value, dict) else isinstance(value, list) and part in range(len(value))
            if not inside:
                return _NOTHING
            value = value[part]
        return value

    def value(self, section: str, key: str) -> Any:
        """The value in the file or else the default; None where it is invalid or null."""
        if not self.valid(section, key):
            return None
        present = self._data.get(section)
        if isinstance(present, dict) and key in present:
            return present[key]
        model = model_at(Cluster, (section,))
        return keys(model)[key].default if model else None

    def network(self, key: str) -> IPv4Network | None:
        """A network of the section ``network``."""
        text = self.value("network", key)
        return IPv4Network(text) if text else None

    def ipv6_network(self, key: str) -> IPv6Network | None:
        """A network of the section ``network.ipv6``; None where the cluster has none."""
        section = self.given("network", "ipv6")
        return IPv6Network(section.get(key) or keys(Ipv6)[key].default) if isinstance(section, dict) else None

    @cached_property
    def hosts(self) -> list[DraftHost]:
        """All entries that are mappings."""
        entries = self._data.get("hosts")
        entries = entries if isinstance(entries, list) else []
        return [self._host(index) for index, entry in enumerate(entries) if isinstance(entry, dict)]

    def _host(self, index: int) -> DraftHost:
        location: Location = ("hosts", index)
        address, ipv6_address = self.given(*location, "address"), self.given(*location, "ipv6_address")
        roles = self.given(*location, "roles")
        return DraftHost(
            location=location,
            name=self.given(*location, "name"),
            address=IPv4Address(address) if isinstance(address, str) and is_ipv4(address) else None,
            ipv6_address=IPv6Address(ipv6_address) if isinstance(ipv6_address, str) and is_ipv6(ipv6_address) else None,
            roles=frozenset(roles) if roles else None,
            keys=frozenset(self._data["hosts"][index]),
        )

    @cached_property
    def roles_known(self) -> bool:
        """Whether every host's roles are, so that hosts with a role can be counted."""
        entries = self._data.get("hosts")
        return isinstance(entries, list) and len(self.hosts) == len(entries) and all(host.roles for host in self.hosts)
