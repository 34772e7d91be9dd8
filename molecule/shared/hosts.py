"""What tests ask a host, with one command each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from testinfra.host import Host


@dataclass(frozen=True)
class Unit:
    """A systemd unit as it is now.

    Attributes:
        active: systemd's ActiveState, ``active`` where it runs.
        enabled: systemd's UnitFileState, ``enabled`` where it starts at boot.
        user: whose its main process is; "" where there is none.
        invocation: another one after every start.
    """

    active: str
    enabled: str
    user: str
    invocation: str


def unit(host: Host, name: str) -> Unit:
    """The state of a unit, by its name without ``.service``."""
    names = ("ActiveState", "UnitFileState", "InvocationID", "MainPID")
    output = host.check_output(
        f"systemctl show --property={','.join(names)} {name}.service; "
        f"echo User=$(ps -o user:32= -p $(systemctl show --property=MainPID --value {name}.service))"
    )
    state = dict(line.split("=", 1) for line in output.splitlines())
    return Unit(state["ActiveState"], state["UnitFileState"], state["User"], state["InvocationID"])


def permissions(host: Host, paths: Iterable[str]) -> dict[str, str]:
    """Mode and owner of files and sockets, for example ``600 etcd:etcd``; an error where one is not there."""
    output = host.check_output(f"stat --format='%n %a %U:%G' {' '.join(paths)}")
    return dict(line.split(" ", 1) for line in output.splitlines())


def listening(host: Host, program: str) -> set[str]:
    """Addresses and ports a program listens on; ``*`` is every address."""
    output = host.check_output("ss -Hltnp")
    lines = [line.split() for line in output.splitlines()]
    return {line[3] for line in lines if f'(("{program[:15]}",' in line[-1]}


def status(host: Host, url: str, *options: str) -> int:
    """The status code that a host gets from a URL; 0 where there is no answer.

    Args:
        host: who asks.
        url: what it asks for.
        options: of curl, for example ``--cacert``.
    """
    # Who does not care for the certificate need not name an authority.
    trust = [] if "--cacert" in options else ["--insecure"]
    command = ["curl", "--silent", "--max-time", "5", "--output", "/dev/null", "--write-out", "'%{http_code}'"]
    return int(host.run(" ".join([*command, *trust, *options, url])).stdout)
