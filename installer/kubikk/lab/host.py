"""One host: its tree, its start, its end. All functions work from whatever state a killed run left behind."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from kubikk.errors import KubikkError
from kubikk.lab import cgroups, names, processes
from kubikk.lab.commands import environment, last_lines
from kubikk.lab.host_files import MachineFacts, write_host_files
from kubikk.lab.keys import ensure_key
from kubikk.lab.mounts import mount_overlay, remove_tree, unmount_below
from kubikk.lab.network import remove_link
from kubikk.lab.state import HostState, LabState

# These must not lie on the host's overlay: an overlay cannot be the upper layer of another (containers' layers), and
# databases want a plain file system. /opt/kubikk stays on it together with /var/tmp, so that what was received there
# is put in place by renaming.
DATA_DIRECTORIES = (
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/etcd",
    "/var/lib/kubelet",
)
# What container runtimes call beyond systemd-nspawn's default.
_SYSTEM_CALLS = "@default @system-service @module @mount keyctl bpf add_key perf_event_open"
# With --keep-unit systemd-nspawn does not boot again when a host reboots, but exits with status 133 for a service
# manager to start it again. Here this does, after removing what a start would trip over.
_BOOT_AGAIN = """\
group=$1 veth=$2; shift 2
while :; do
    "$@"; status=$?
    [ $status = 133 ] || exit $status
    ip link delete "$veth" 2>/dev/null
    find /sys/fs/cgroup -depth -type d -path "*/$group/*" -exec rmdir {} + 2>/dev/null
done
"""
_NSPAWN_RUN = Path("/run/systemd/nspawn")
_SSH_PORT = 22
_POLL = 0.1  # seconds


@dataclass(frozen=True)
class HostPaths:
    """Where a host's things lie below its own directory.

    Attributes:
        directory: the host's own.
    """

    directory: Path

    @property
    def root(self) -> Path:
        """Mount point of the overlay."""
        return self.directory / "root"

    @property
    def key(self) -> Path:
        """The host's private SSH key."""
        return self.directory / "ssh_host_ed25519_key"

    @property
    def console(self) -> Path:
        """What systemd-nspawn and the host's init wrote since the last start."""
        return self.directory / "console.log"

    def data(self, path: str) -> Path:
        """The machine's directory behind one of ``DATA_DIRECTORIES``."""
        return self.directory / "data" / Path(path).name


def nspawn_command(lab: str, host: HostState, paths: HostPaths) -> list[str]:
    """The command line that boots a host; it needs the variable SYSTEMD_NSPAWN_API_VFS_WRITABLE=1."""
    return [
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--boot",
        f"--machine={names.machine(lab, host.name)}",
        f"--hostname={host.name}",
        f"--uuid={host.uuid}",
        f"--directory={paths.root}",
        f"--network-bridge={names.bridge(lab)}",
        "--capability=all",
        f"--system-call-filter={_SYSTEM_CALLS}",
        "--register=no",
        "--keep-unit",
        "--console=pipe",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        *(f"--bind={paths.data(path)}:{path}" for path in DATA_DIRECTORIES),
    ]


def is_running(lab: str, host: str) -> bool:
    """Whether anything of a host runs (also paused)."""
    return bool(cgroups.processes(cgroups.groups(names.cgroup(lab, host))))


def prepare(lab: LabState, host: HostState, facts: MachineFacts, paths: HostPaths, authorized_key: str) -> None:
    """Mounts the host's tree and writes its files.

    Raises:
        KubikkError: the base tree below it is gone, or mounting fails.
    """
    if not Path(host.base).is_dir():
        raise KubikkError(
            f"The base tree of {host.name} is gone: {host.base}",
            host=host.name,
            remedy=f"Take the lab down (`kubikk lab down --name {lab.name}`) and make it again.",
        )
    upper, work = paths.directory / "upper", paths.directory / "work"
    for directory in (paths.root, upper, work, *(paths.data(path) for path in DATA_DIRECTORIES)):
        directory.mkdir(parents=True, exist_ok=True)
    ensure_key(paths.key)
    mount_overlay(names.cgroup(lab.name, host.name), Path(host.base), upper, work, paths.root)
    subnet = IPv4Network(lab.subnet)
    write_host_files(paths.root, host, subnet, facts, host_key=paths.key, authorized_key=authorized_key)


def start(lab: str, host: HostState, paths: HostPaths) -> subprocess.Popen[bytes]:
    """Boots a prepared host. It goes on when this process ends; nothing waits for it here.

    Returns:
        A process that ends when the host does, other than to reboot.
    """
    group = names.cgroup(lab, host.name)
    cgroups.remove(cgroups.groups(group))  # what a power cut left, with an old tree of the host's units
    veth = names.veth(lab, host.name)
    remove_link(veth)
    nspawn = [*cgroups.launch_prefix(group), *nspawn_command(lab, host, paths)]
    with paths.console.open("wb") as console:
        return subprocess.Popen(
            ["/bin/sh", "-c", _BOOT_AGAIN, "kubikk-lab", group, veth, *nspawn],
            env=environment({"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1"}),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )


def ssh_answers(address: str) -> bool:
    """Whether an SSH server greets at this address."""
    try:
        with socket.create_connection((address, _SSH_PORT), timeout=1.0) as connection:
            connection.settimeout(2.0)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait_for_ssh(host: HostState, paths: HostPaths, timeout: float, ended: Callable[[], bool]) -> float:
    """Waits until a host's SSH server greets.

    Args:
        host: the host.
        paths: its directory, for the console's last lines in an error.
        timeout: seconds.
        ended: tells whether the host's processes are gone.

    Returns:
        Seconds waited.

    Raises:
        KubikkError: it ended, or the time is up.
    """
    begin = time.monotonic()
    while not ssh_answers(host.address):
        gone = ended()
        if gone or time.monotonic() - begin > timeout:
            console = paths.console.read_text(errors="replace") if paths.console.exists() else ""
            raise KubikkError(
                f"{host.name} stopped while booting" if gone else f"{host.name} does not answer on SSH",
                host=host.name,
                cause=last_lines(console) or None,
                remedy=f"Its console is in {paths.console}.",
            )
        time.sleep(_POLL)
    return time.monotonic() - begin


def power_off(lab: str, host: str, paths: HostPaths) -> None:
    """Cuts a host's power: everything in it ends at once, its disk stays as it is. Off already: cleans up only."""
    group = names.cgroup(lab, host)
    processes.end_all(group)
    remove_link(names.veth(lab, host))
    _forget_nspawn(names.machine(lab, host), paths.root)
    unmount_below(paths.directory)
    cgroups.remove(cgroups.groups(group))


def destroy(lab: str, host: str, paths: HostPaths) -> None:
    """Cuts a host's power and deletes its disk."""
    power_off(lab, host, paths)
    remove_tree(paths.directory)


def _forget_nspawn(machine: str, root: Path) -> None:
    """Removes what systemd-nspawn leaves in /run when it is killed itself."""
    if root.is_mount():
        status = root.stat()
        (_NSPAWN_RUN / "locks" / f"inode-{status.st_dev}:{status.st_ino}").unlink(missing_ok=True)
    with suppress(OSError):  # not there, which is the rule
        (_NSPAWN_RUN / "propagate" / machine).rmdir()
