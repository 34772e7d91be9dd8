"""Commands on the cluster's hosts, over SSH as Ansible does it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import testinfra

from tests.cluster.support.description import ClusterHost, Description

_COMMON = """\
Host *
  ControlMaster auto
  ControlPath {directory}/%n
  ControlPersist 120
  ServerAliveInterval 3
  ServerAliveCountMax 2
  BatchMode yes
  LogLevel ERROR
"""


class Access:
    """Runs commands on hosts.

    Args:
        cluster: whose hosts.
        directory: an empty one with a short path, for ssh's configuration and its sockets.
    """

    def __init__(self, cluster: Description, directory: Path) -> None:
        self._cluster = cluster
        self._config = directory / "config"
        text = "".join(_section(host) for host in cluster.hosts.values()) + _COMMON.format(directory=directory)
        self._config.write_text(text)
        self._hosts: dict[str, Any] = {}

    def host(self, name: str) -> Any:
        """The testinfra host of this name; commands run as root."""
        if name not in self._hosts:
            user = self._cluster.hosts[name].variables.get("ansible_user", "root")
            self._hosts[name] = testinfra.get_host(f"ssh://{name}", ssh_config=str(self._config), sudo=user != "root")
        return self._hosts[name]

    def output(self, name: str, command: str) -> str:
        """What a command prints, the last newline removed.

        Raises:
            AssertionError: it fails.
            ConnectionError: the host does not answer over SSH, which testinfra tells by a RuntimeError.
        """
        try:
            result = self.host(name).run(command)
        except RuntimeError as error:
            raise ConnectionError(f"{name}: {error}") from error
        assert result.rc == 0, f"{name}: {command}: exit code {result.rc}\n{result.stdout}{result.stderr}"
        return str(result.stdout).removesuffix("\n")

    def succeeds(self, name: str, command: str) -> bool:
        """Whether a command ends with exit code 0."""
        return bool(self.host(name).run(command).rc == 0)

    def python(self, name: str, program: str, *arguments: str) -> str:
        """What a Python program prints on a host."""
        return self.output(name, shlex.join(["python3", "-c", program, *arguments]))

    def copy(self, name: str, source: Path, target: str) -> None:
        """Copies a file to a host."""
        subprocess.run(["scp", "-q", "-F", str(self._config), str(source), f"{name}:{target}"], check=True)

    def forget(self, names: Iterable[str]) -> None:
        """Closes connections, for example to a host that is off."""
        for name in names:
            command = ["ssh", "-F", str(self._config), "-O", "exit", name]
            subprocess.run(command, check=False, capture_output=True)


def _section(host: ClusterHost) -> str:
    variables = host.variables
    lines = [f"Host {host.name}", f"  HostName {variables['ansible_host']}", f"  User {variables['ansible_user']}"]
    lines.append(f"  Port {variables.get('ansible_port', 22)}")
    if key := variables.get("ansible_ssh_private_key_file"):
        lines.append(f"  IdentityFile {key}")
    arguments = shlex.split(variables.get("ansible_ssh_common_args", ""))
    for flag, option in zip(arguments[::2], arguments[1::2], strict=True):
        assert flag == "-o", f"unexpected argument {flag} in ansible_ssh_common_args"
        lines.append("  " + option.replace("=", " ", 1))
    return "\n".join(lines) + "\n"


@contextmanager
def opened(cluster: Description) -> Iterator[Access]:
    """Access to a cluster's hosts, whose connections are closed in the end."""
    directory = Path(tempfile.mkdtemp(prefix="kubikk-"))  # pytest's own paths are too long for a socket
    access = Access(cluster, directory)
    yield access
    access.forget(cluster.hosts)
    # A connection that ends takes its socket away at the same time.
    shutil.rmtree(directory, ignore_errors=True)
