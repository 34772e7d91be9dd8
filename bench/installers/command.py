"""Any other installer: a command that is told of the hosts in its environment."""

from __future__ import annotations

import os
from pathlib import Path

from bench.installers.base import Installer, Program, host_environment
from bench.site import Site


class Command(Installer):
    """A command of the operator's.

    Args:
        name: in results.
        command: a program that can be executed; the README says what it is told.
        dns: whether CoreDNS belongs to the finish line.
    """

    def __init__(self, name: str, command: Path, *, dns: bool) -> None:
        self.name = name
        self._command = command.resolve()
        self._dns = dns

    def program(self, site: Site) -> Program:
        """The command."""
        environment = host_environment(site, site.root / "work" / self.name)
        kubeconfig = Path(environment["BENCH_KUBECONFIG"])
        return Program([os.fspath(self._command)], kubeconfig, environment, self._dns)
