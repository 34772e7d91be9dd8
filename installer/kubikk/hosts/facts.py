"""What is known of a host, as ``programs/facts.py`` tells it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from kubikk.errors import KubikkError


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Distribution(_Part):
    """From /etc/os-release; ``like`` are relatives' ids, ``name`` is for people."""

    id: str
    like: tuple[str, ...] = ()
    version: str = ""
    name: str = ""


class Cgroup(_Part):
    """Version 1 or 2, and the names of its controllers."""

    version: int
    controllers: tuple[str, ...] = ()


class Disk(_Part):
    """A path's file system: device number, size and free bytes."""

    path: str
    device: int
    size: int
    free: int


class Listener(_Part):
    """Who listens on a port; all but protocol and port are "" where no process does."""

    protocol: str
    port: int
    program: str = ""
    executable: str = ""
    unit: str = ""


class Service(_Part):
    """A systemd service that exists: its state, its unit's file, and what its process runs."""

    active: str
    file: str = ""
    executable: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is running or about to."""
        return self.active in ("active", "activating", "reloading")


class Vxlan(_Part):
    """A VXLAN interface and its UDP port."""

    name: str
    port: int


class HostFacts(_Part):
    """A host.

    Attributes:
        root: whether the facts were gathered as root.
        python: version of python3.
        arch: the kernel's name for it, for example x86_64.
        kernel: release.
        hostname: what the host calls itself.
        machine_id: from /etc/machine-id; "" where it is missing or empty.
        os: distribution.
        init: name of process 1.
        systemd: version, 0 without.
        cgroup: version and controllers.
        features: what the kernel can do, by name.
        cpus: processors.
        memory: bytes.
        swap: bytes.
        disks: file systems of the paths asked for.
        addresses: own addresses, of IPv4 and IPv6.
        default_route: whether there is one of IPv4.
        default_route_ipv6: whether there is one of IPv6.
        listeners: on the ports asked for.
        units: of those asked for, the services that exist.
        vxlan: VXLAN interfaces.
        kubikk_units: services that Kubikk started here.
        listed: names in the directories asked for.
        present: which of the paths asked for exist.
        selinux: enforcing, permissive or "".
        ufw: whether ufw filters packets.
        certificates: those asked for that exist, by path, in PEM.
        networks: those of ``pods`` and ``services`` of the cluster that the host is part of the control plane of,
            with commas between IPv4's and IPv6's.
    """

    root: bool
    python: str
    arch: str
    kernel: str
    hostname: str
    machine_id: str
    os: Distribution
    init: str
    systemd: int
    cgroup: Cgroup
    features: dict[str, bool]
    cpus: int
    memory: int
    swap: int
    disks: tuple[Disk, ...]
    addresses: tuple[str, ...]
    default_route: bool
    default_route_ipv6: bool = False
    listeners: tuple[Listener, ...]
    units: dict[str, Service]
    vxlan: tuple[Vxlan, ...]
    kubikk_units: tuple[str, ...]
    listed: dict[str, tuple[str, ...]]
    present: tuple[str, ...]
    selinux: str
    ufw: bool
    certificates: dict[str, str] = {}
    networks: dict[str, str] = {}

    @property
    def is_ours(self) -> bool:
        """Whether Kubikk has set this host up, at least in part."""
        return bool(self.kubikk_units)


def read_facts(data: Any, host: str) -> HostFacts:
    """Facts from a program's answer.

    Args:
        data: the answer.
        host: the host's name.

    Raises:
        KubikkError: it is no such answer.
    """
    try:
        return HostFacts.model_validate(data)
    except ValidationError as error:
        raise KubikkError(f"{host} does not answer as it should", host=host, cause=str(error)) from error
