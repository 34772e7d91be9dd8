"""The lab's hosts, got at from outside, where no fault of theirs is in the way."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kubikk.lab import Lab, cgroups, names
from kubikk.lab.host import HostPaths
from kubikk.lab.processes import find_init


class Site:
    """Hosts of a lab.

    Args:
        lab: the lab.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.addresses = {host.name: host.address for host in lab.hosts()}

    def processes(self, host: str) -> set[int]:
        """Ids of a host's processes."""
        return set(cgroups.processes(cgroups.groups(names.cgroup(self.lab.name, host))))

    def root(self, host: str) -> Path:
        """A host's file system, as this machine sees it."""
        return HostPaths(self.lab.directory / "hosts" / host).root

    def inside(self, host: str, command: str, *, check: bool = True) -> str:
        """What a command prints that runs in a host, not over SSH.

        Raises:
            AssertionError: it fails.
        """
        init = find_init(self.processes(host))
        assert init is not None, f"{host} is off"
        enter = ["nsenter", "--target", str(init), "--mount", "--net", "--pid", "--uts", "--ipc"]
        # Its path, not this machine's.
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(
            [*enter, "/bin/sh", "-c", command],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, f"{host}: {command}: {done.stdout}{done.stderr}"
        return done.stdout

    def sessions(self, host: str) -> list[int]:
        """Ids of the processes that serve a host's SSH connections."""
        found = []
        for pid in self.processes(host):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                program = str(Path(f"/proc/{pid}/exe").readlink())
            except OSError:
                continue
            if program.endswith("/sshd") and not line.startswith(b"sshd: /usr/sbin/sshd"):
                found.append(pid)
        return found
