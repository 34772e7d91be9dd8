"""What is written into a host's tree before it boots: who it is, its network, and what the machine knows."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from kubikk.lab.commands import run
from kubikk.lab.network import gateway, ipv6_address, machine_has_ipv6
from kubikk.lab.recipe import RELEASE
from kubikk.lab.sources import debian_sources, read_sources, transfer_settings
from kubikk.lab.state import HostState, write_atomically

_RESOLV_CONF = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
OCI_RUNTIME = "/usr/local/lib/kubikk-lab/oci-runtime"
"""A host's program that stands in front of runc; see ``oci_runtime``."""

_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class MachineFacts:
    """What hosts take over from the machine, read once for all of them.

    Attributes:
        mtu: bytes.
        ipv6: whether interfaces can have IPv6 addresses.
        resolv_conf: content, or "" where the machine has no name server a host could reach.
        certificates: the machine's bundle of certificate authorities, or b"".
        apt_sources: content of a ``*.sources`` file.
        apt_settings: content of an apt.conf file.
        keyrings: content of each keyring the sources name.
    """

    mtu: int
    ipv6: bool
    resolv_conf: str
    certificates: bytes
    apt_sources: str
    apt_settings: str
    keyrings: dict[str, bytes]


def reachable_name_servers(text: str) -> str:
    """A resolv.conf without the name servers only the machine itself can reach; "" where no other is left."""
    lines = [line for line in text.splitlines() if line.split()[:1] != ["nameserver"] or not _is_loopback(line)]
    return "\n".join(lines) + "\n" if any(line.startswith("nameserver") for line in lines) else ""


def _is_loopback(line: str) -> bool:
    address = line.split()[1] if len(line.split()) > 1 else ""
    return address.startswith("127.") or address == "::1"


def machine_facts(mtu: int, release: str = RELEASE, *, etc_apt: Path = Path("/etc/apt")) -> MachineFacts:
    """Reads what hosts take over.

    Args:
        mtu: of the lab's network, bytes.
        release: Debian's code name, for the hosts' own package sources.
        etc_apt: the machine's apt configuration.
    """
    resolv_conf = ""
    for path in _RESOLV_CONF:
        if path.is_file() and not resolv_conf:
            resolv_conf = reachable_name_servers(path.read_text())
    sources = debian_sources(read_sources(etc_apt), release)
    settings = transfer_settings(run(["apt-config", "dump", "Acquire"]))
    keyrings = {source.signed_by for source in sources if source.signed_by.startswith("/")}
    return MachineFacts(
        mtu=mtu,
        ipv6=machine_has_ipv6(),
        resolv_conf=resolv_conf,
        certificates=_CERTIFICATES.read_bytes() if _CERTIFICATES.is_file() else b"",
        apt_sources="\n".join(source.render() for source in sources),
        apt_settings="".join(f'{name} "{value}";\n' for name, value in settings.items()),
        keyrings={path: Path(path).read_bytes() for path in sorted(keyrings) if Path(path).is_file()},
    )


def network_unit(address: str, subnet: IPv4Network, mtu: int, *, ipv6: bool) -> str:
    """systemd-networkd's configuration of the host's only interface."""
    own, via = ipv6_address(IPv4Address(address)), ipv6_address(gateway(subnet))
    return (
        "[Match]\nName=host0\n\n"
        f"[Link]\nMTUBytes={mtu}\n\n"
        f"[Network]\nAddress={IPv4Address(address)}/{subnet.prefixlen}\nGateway={gateway(subnet)}\n"
        + (f"Address={own}/64\nGateway={via}\n" if ipv6 else "")
        + "LinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\n"
    )


# Every host's udev is told of all of this machine's devices, and a host that boots asks for all of them to be announced
# again: with a dozen hosts that was hundreds of processes at a time. Hosts need to know their network interface only.
_UDEV_TRIGGER = "[Service]\nExecStart=\nExecStart=udevadm trigger --type=devices --action=add --subsystem-match=net\n"
_UDEV = "children_max=2\n"


def write_host_files(
    root: Path, host: HostState, subnet: IPv4Network, facts: MachineFacts, *, host_key: Path, authorized_key: str
) -> None:
    """Writes a host's files through its mounted root; files that are right already are left alone.

    Args:
        root: where the host's overlay is mounted.
        host: the host.
        subnet: the lab's network.
        facts: what it takes over from the machine.
        host_key: its private SSH key; the public one lies beside it.
        authorized_key: public key that may log in as root.
    """
    files: dict[str, tuple[str | bytes, int]] = {
        "etc/hostname": (f"{host.name}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n::1 localhost ip6-localhost\n{host.address} {host.name}\n", 0o644),
        "etc/machine-id": (f"{host.uuid}\n", 0o444),
        # The number matters: it must sort before systemd's own 80-container-host0.network.
        "etc/systemd/network/10-host0.network": (network_unit(host.address, subnet, facts.mtu, ipv6=facts.ipv6), 0o644),
        "etc/systemd/system/systemd-udev-trigger.service.d/lab.conf": (_UDEV_TRIGGER, 0o644),
        "etc/udev/udev.conf": (_UDEV, 0o644),
        "etc/resolv.conf": (facts.resolv_conf, 0o644),
        "root/.ssh/authorized_keys": (f"{authorized_key}\n", 0o600),
        "etc/ssh/ssh_host_ed25519_key": (host_key.read_bytes(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (host_key.with_name(f"{host_key.name}.pub").read_bytes(), 0o644),
        "etc/apt/sources.list.d/debian.sources": (facts.apt_sources, 0o644),
        "etc/apt/apt.conf.d/90machine": (facts.apt_settings, 0o644),
        OCI_RUNTIME.lstrip("/"): (resources.files(__package__).joinpath("oci_runtime.py").read_text(), 0o755),
        **{path.lstrip("/"): (content, 0o644) for path, content in facts.keyrings.items()},
    }
    if facts.certificates:
        files["etc/ssl/certs/ca-certificates.crt"] = (facts.certificates, 0o644)
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    for name, (content, mode) in files.items():
        path = root / name
        data = content.encode() if isinstance(content, str) else content
        if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data, mode)
