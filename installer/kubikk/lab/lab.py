"""A lab: several hosts on one network of their own."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from filelock import FileLock, Timeout

from kubikk.errors import KubikkError
from kubikk.lab import cgroups, cluster_file, host, names, network, sysctls
from kubikk.lab.base import base_tree, ensure_base
from kubikk.lab.host import HostPaths
from kubikk.lab.host_files import MachineFacts, machine_facts
from kubikk.lab.keys import ensure_key, known_hosts, public_path
from kubikk.lab.mounts import remove_tree
from kubikk.lab.recipe import RELEASE
from kubikk.lab.requirements import check_machine
from kubikk.lab.state import (
    STATE_ROOT,
    HostState,
    LabState,
    Role,
    host_names,
    lab_directories,
    load,
    save,
    sort_key,
    write_atomically,
)
from kubikk.progress import Progress

_LOCK_PATIENCE = 600.0  # seconds
_BOOT_SECONDS = 60.0
_BOOT_SECONDS_PER_HOST = 6.0  # hosts that boot at the same time share the machine
_AT_ONCE = 8


@dataclass(frozen=True)
class LabHost:
    """A host as seen from outside.

    Attributes:
        name: hostname, for example ``cp1``.
        role: in the cluster file.
        address: IPv4 address.
        running: whether its power is on.
    """

    name: str
    role: Role
    address: str
    running: bool


class Lab:
    """A lab by its name, whether it exists or not.

    Args:
        name: a DNS label of at most 30 characters.
        progress: told what happens.
        state_root: where labs are kept.

    Raises:
        KubikkError: the name is none.
    """

    def __init__(self, name: str, progress: Progress, *, state_root: Path = STATE_ROOT) -> None:
        self.name = names.check_lab_name(name)
        self._progress = progress
        self._root = state_root

    @property
    def directory(self) -> Path:
        """The lab's state directory, which holds its hosts' disks, too."""
        return self._root / self.name

    @property
    def key(self) -> Path:
        """Private SSH key that logs in to every host as root."""
        return self.directory / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The hosts' SSH keys."""
        return self.directory / "known_hosts"

    def console(self, name: str) -> Path:
        """What a host's init wrote since its last start."""
        return self._paths(name).console

    def up(self, control_planes: int = 3, workers: int = 2, release: str = RELEASE) -> list[LabHost]:
        """Starts what does not run, creates what does not exist; hosts beyond these numbers are kept.

        Args:
            control_planes: how many control-plane hosts there are to be at least.
            workers: how many workers.
            release: Debian's code name, for hosts that do not exist yet.

        Returns:
            All hosts of the lab, each answering on SSH.

        Raises:
            ProblemsError: this machine cannot host them.
            KubikkError: a host does not come up, or a program of the machine fails.
        """
        wanted = host_names(control_planes, workers)
        present = load(self.directory)
        known = {entry.name for entry in present.hosts} if present else set()
        creating = [role for name, role in wanted if name not in known]
        running = {name for name in known if host.is_running(self.name, name)}
        roles: dict[str, Role] = dict(wanted)
        if present:
            roles |= {entry.name: entry.role for entry in present.hosts}
        starting = [role for name, role in roles.items() if name not in running]
        check_machine(self._root, starting, creating, base=not base_tree(release).is_dir())
        base = ensure_base(self._progress, release, in_use=self._bases_in_use())
        with self._lock():
            state = self._record(wanted, base, release)
            with self._machine_lock():
                sysctls.raise_limits(self._sysctl_record)
                network.ensure_network(self.name, IPv4Network(state.subnet))
            mtu = network.uplink_mtu()
            facts = {release: machine_facts(mtu, release) for release in {entry.release for entry in state.hosts}}
            authorized = ensure_key(self.key)
            self._each(
                state.hosts,
                lambda entry: self._bring_up(state, entry, facts[entry.release], authorized, len(starting)),
            )
            self._write_known_hosts(state)
        return self.hosts()

    def down(self) -> None:
        """Removes every trace of the lab from the machine, also of one that was only half made or half removed."""
        if not self._root.exists():
            return
        with self._lock() as lock:
            found = self._traces()
            self._progress.start(self._work("down"), float(len(found)), "hosts")
            for done, name in enumerate(found, start=1):
                host.destroy(self.name, name, self._paths(name))
                self._progress.advance(self._work("down"), float(done))
            with self._machine_lock() as machine_lock:
                network.remove_network(self.name)
                remove_tree(self.directory)
                if not lab_directories(self._root):
                    sysctls.restore_limits(self._sysctl_record)
                    machine_lock.unlink(missing_ok=True)
            # Who waits for a lock whose file is gone takes a new one: filelock looks whether its file still has a name.
            lock.unlink(missing_ok=True)
            self._progress.finish(self._work("down"))
        with suppress(OSError):  # other labs are there
            self._root.rmdir()

    def hosts(self) -> list[LabHost]:
        """The lab's hosts; none where there is no lab."""
        state = load(self.directory)
        entries = state.hosts if state else []
        return [
            LabHost(entry.name, entry.role, entry.address, host.is_running(self.name, entry.name)) for entry in entries
        ]

    def power_off(self, name: str) -> None:
        """Cuts a host's power: all its processes end at once, its disk stays.

        Raises:
            KubikkError: there is no such host.
        """
        self._entry(name)
        with self._lock():
            host.power_off(self.name, name, self._paths(name))

    def power_on(self, name: str) -> float:
        """Starts a host that is off and waits until it answers on SSH; one that is paused goes on.

        Returns:
            Seconds it took to answer.

        Raises:
            KubikkError: there is no such host, or it does not come up.
        """
        state, entry = self._entry(name)
        with self._lock():
            network.ensure_network(self.name, IPv4Network(state.subnet))
            facts = machine_facts(network.uplink_mtu(), entry.release)
            return self._bring_up(state, entry, facts, ensure_key(self.key), 1)

    def pause(self, name: str) -> None:
        """Stops a host where it is, as a hung machine: it neither answers nor notices; ``resume`` lets it go on."""
        self._entry(name)
        with self._lock():
            cgroups.set_frozen(cgroups.groups(names.cgroup(self.name, name)), frozen=True)

    def resume(self, name: str) -> None:
        """Lets a paused host go on."""
        self._entry(name)
        with self._lock():
            cgroups.set_frozen(cgroups.groups(names.cgroup(self.name, name)), frozen=False)

    def destroy_host(self, name: str) -> None:
        """Removes one host with its disk; the next ``up`` creates it anew, with another SSH key and machine-id."""
        self._entry(name)
        with self._lock():
            host.destroy(self.name, name, self._paths(name))
            state, entry = self._entry(name)
            save(self.directory, LabState(state.name, state.subnet, [e for e in state.hosts if e != entry]))

    def ssh_command(self, name: str, *command: str) -> list[str]:
        """The command line that logs in to a host, or runs a command there.

        Raises:
            KubikkError: there is no such host.
        """
        _, entry = self._entry(name)
        options = [f"UserKnownHostsFile={self.known_hosts}", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"]
        flags = [flag for option in options for flag in ("-o", option)]
        return ["ssh", "-i", str(self.key), *flags, f"root@{entry.address}", *command]

    def write_cluster_file(self, directory: Path) -> Path:
        """Writes or updates the lab's cluster file; it keeps its bytes where nothing has to change.

        Args:
            directory: normally ``inventory/<lab>``.

        Returns:
            The file.
        """
        state = self._state()
        return cluster_file.write_cluster_file(directory, self.name, state.hosts, self.key, self.known_hosts)

    # --- inner parts ---

    def _work(self, name: str) -> str:
        return f"lab {self.name}: {name}"

    def _paths(self, name: str) -> HostPaths:
        return HostPaths(self.directory / "hosts" / name)

    def _traces(self) -> list[str]:
        """Names of all hosts of which anything is left, whether or not the lab's record is."""
        groups = cgroups.groups(names.cgroup_prefix(self.name), prefix=True)
        found = {group.name.removesuffix(".scope").rpartition(".")[2] for group in groups}
        hosts = self.directory / "hosts"
        if hosts.is_dir():
            found |= {entry.name for entry in hosts.iterdir()}
        return sorted(found, key=sort_key)

    @property
    def _sysctl_record(self) -> Path:
        return self._root / ".sysctls.json"

    def _bases_in_use(self) -> list[Path]:
        states = [load(directory) for directory in lab_directories(self._root)]
        return [Path(entry.base) for state in states if state for entry in state.hosts]

    @contextmanager
    def _lock(self) -> Iterator[Path]:
        """One run at a time, and only root, changes this lab; yields the lock's file.

        An error of the operating system (disk full, a file system that is read-only) becomes a KubikkError.
        """
        if os.geteuid() != 0:
            raise KubikkError(f"Changing lab {self.name} needs root", remedy="Run the command with sudo.")
        try:
            with _held(self._root / f".{self.name}.lock", f"lab {self.name}") as path:
                yield path
        except OSError as error:
            raise KubikkError(f"Lab {self.name} cannot be changed: {error}") from error

    @contextmanager
    def _machine_lock(self) -> Iterator[Path]:
        """One run at a time changes what labs share: which subnet is whose, and the machine's kernel settings."""
        with _held(self._root / ".machine.lock", "this machine's labs") as path:
            yield path

    def _state(self) -> LabState:
        state = load(self.directory)
        if state is None:
            raise KubikkError(f"There is no lab {self.name}", remedy=f"`kubikk lab up --name {self.name}` makes it.")
        return state

    def _entry(self, name: str) -> tuple[LabState, HostState]:
        state = self._state()
        for entry in state.hosts:
            if entry.name == name:
                return state, entry
        present = ", ".join(entry.name for entry in state.hosts)
        raise KubikkError(f"Lab {self.name} has no host {name}", remedy=f"Its hosts are {present}.")

    def _record(self, wanted: list[tuple[str, Role]], base: Path, release: str) -> LabState:
        """Writes down, before anything is made, what the lab will consist of."""
        with self._machine_lock():
            state = load(self.directory)
            if state is None:
                states = [load(directory) for directory in lab_directories(self._root)]
                others = [IPv4Network(other.subnet) for other in states if other]
                own_bridge = names.bridge(self.name)
                subnet = network.free_subnet([*others, *network.machine_routes(except_bridge=own_bridge)])
                state = LabState(self.name, str(subnet))
            entries = {entry.name: entry for entry in state.hosts}
            for name, role in wanted:
                if name not in entries:
                    address = network.host_address(IPv4Network(state.subnet), role, sort_key(name)[1])
                    entries[name] = HostState(name, role, str(address), uuid.uuid4().hex, str(base), release)
            complete = LabState(state.name, state.subnet, sorted(entries.values(), key=lambda e: sort_key(e.name)))
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            save(self.directory, complete)
        return complete

    def _each(self, hosts: list[HostState], action: Callable[[HostState], object]) -> None:
        """Does the same for several hosts at once; all are tried, then what failed is raised, together."""
        failures: list[KubikkError] = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for future in [pool.submit(action, entry) for entry in hosts]:
                try:
                    future.result()
                except KubikkError as error:
                    failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise KubikkError(
                f"{len(failures)} hosts of lab {self.name} did not come up",
                cause="\n".join(f"{failure.message}: {failure.cause or ''}" for failure in failures),
                remedy=failures[0].remedy,
            )

    def _bring_up(
        self, state: LabState, entry: HostState, facts: MachineFacts, authorized_key: str, together: int
    ) -> float:
        """Starts one host unless it runs, and waits for SSH; returns the seconds it took."""
        begin = time.monotonic()
        paths = self._paths(entry.name)
        group = names.cgroup(self.name, entry.name)
        timeout = _BOOT_SECONDS + _BOOT_SECONDS_PER_HOST * together
        if host.is_running(self.name, entry.name):
            cgroups.set_frozen(cgroups.groups(group), frozen=False)
            host.wait_for_ssh(entry, paths, timeout, lambda: not host.is_running(self.name, entry.name))
            return time.monotonic() - begin
        self._progress.start(self._work(entry.name))
        host.prepare(state, entry, facts, paths, authorized_key)
        process: subprocess.Popen[bytes] = host.start(self.name, entry, paths)
        host.wait_for_ssh(entry, paths, timeout, lambda: process.poll() is not None)
        seconds = time.monotonic() - begin
        self._progress.finish(self._work(entry.name), f"{entry.address} answers after {seconds:.1f} s")
        return seconds

    def _write_known_hosts(self, state: LabState) -> None:
        keys = {entry.address: public_path(self._paths(entry.name).key).read_text().strip() for entry in state.hosts}
        write_atomically(self.known_hosts, known_hosts(keys))


@contextmanager
def _held(path: Path, what: str) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=_LOCK_PATIENCE)
    try:
        with lock:
            yield path
    except Timeout as error:
        raise KubikkError(f"Another run has been changing {what} for {_LOCK_PATIENCE:.0f} s") from error


def list_labs(progress: Progress, *, state_root: Path = STATE_ROOT) -> list[Lab]:
    """All labs of this machine, finished or half-made, by name."""
    return [Lab(directory.name, progress, state_root=state_root) for directory in lab_directories(state_root)]
