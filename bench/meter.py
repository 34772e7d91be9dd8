"""What a command costs: seconds, processor seconds on both sides, bytes on the wire."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.site import Site
from kubikk.errors import KubikkError
from kubikk.lab import cgroups, names
from kubikk.processes import descendants

_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
MARK = "== "
"""A line of a command's output that begins so names the phase that begins with it."""


@dataclass
class Cost:
    """What was measured.

    Attributes:
        seconds: from the command's start to the finish line.
        control_cpu: processor seconds of the command and of all that descends from it, ssh included.
        host_cpu: processor seconds of the hosts' cgroups, all hosts together.
        sent: bytes from this machine to hosts, as the lab's bridge counts them.
        received: bytes from hosts to this machine.
        phases: name -> seconds, in order.
        executions: of Ansible modules on hosts, where it is known.
        load: other processes' share of this machine's processors in that time, 0 to 1; large: times are noise.
    """

    seconds: float
    control_cpu: float
    host_cpu: float
    sent: int
    received: int
    phases: dict[str, float] = field(default_factory=dict)
    executions: int | None = None
    load: float = 0.0


@dataclass(frozen=True)
class _Counters:
    at: float
    control_cpu: float
    host_cpu: float
    sent: int
    received: int
    machine_cpu: float


def measure(
    site: Site,
    command: Sequence[str],
    *,
    finish: Callable[[], None],
    environment: Mapping[str, str] | None = None,
    log: Path,
    accept: Sequence[int] = (0,),
) -> Cost:
    """Runs a command to its end, then waits for the finish line.

    Args:
        site: whose hosts' costs are counted.
        command: program and arguments.
        finish: returns when the cluster is as it should be.
        environment: variables beside this process's own.
        log: everything the command prints; lines that begin with ``== `` name phases.
        accept: exit codes that are no failure.

    Raises:
        KubikkError: the command failed.
    """
    begin = _count(site)
    marks: list[tuple[str, float]] = []
    with log.open("w") as out:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        # What outlives the command may keep its output open, so the output's end is not waited for.
        reader = threading.Thread(target=_read, args=(child, out.fileno(), marks), daemon=True)
        reader.start()
        code = child.wait()
        reader.join(timeout=0.2)
    if code not in accept:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise KubikkError(f"{command[0]} ended with {code}", cause=tail, remedy=f"all it said is in {log}")
    finish()
    end = _count(site)
    spent = end.at - begin.at
    control, hosts = end.control_cpu - begin.control_cpu, end.host_cpu - begin.host_cpu
    others = end.machine_cpu - begin.machine_cpu - control - hosts
    return Cost(
        seconds=round(spent, 2),
        control_cpu=round(control, 2),
        host_cpu=round(hosts, 2),
        sent=end.sent - begin.sent,
        received=end.received - begin.received,
        phases=_phases(marks, begin.at, end.at),
        load=round(max(0.0, others) / (spent * (os.cpu_count() or 1)), 2),
    )


def _read(child: subprocess.Popen[str], log: int, marks: list[tuple[str, float]]) -> None:
    for line in child.stdout or ():
        if line.startswith(MARK):
            marks.append((line.removeprefix(MARK).strip(), time.monotonic()))
        os.write(log, line.encode())


def _phases(marks: Sequence[tuple[str, float]], begin: float, end: float) -> dict[str, float]:
    if not marks:
        return {}
    times = [*(at for _, at in marks), end]
    found = {name: round(times[number + 1] - at, 2) for number, (name, at) in enumerate(marks)}
    before = round(times[0] - begin, 2)
    return {"start": before, **found} if before > 0.1 else found


def _count(site: Site) -> _Counters:
    statistics = Path("/sys/class/net", names.bridge(site.lab.name), "statistics")
    return _Counters(
        at=time.monotonic(),
        control_cpu=children_cpu(site),
        host_cpu=hosts_cpu(site),
        sent=int((statistics / "tx_bytes").read_text()),
        received=int((statistics / "rx_bytes").read_text()),
        machine_cpu=_machine_cpu(),
    )


def children_cpu(site: Site) -> float:
    """Processor seconds of all that descends from this process, ended or alive, the site's hosts left out."""
    # Connections that ssh keeps open outlive the command that made them: from now on they become ours.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = 0.0
    hosts = cgroups.processes(cgroups.groups(names.cgroup_prefix(site.lab.name), prefix=True))
    for pid in set(descendants(os.getpid())) - hosts:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        living += sum(map(int, fields[11:15])) / _TICKS
    return ended.ru_utime + ended.ru_stime + living


def hosts_cpu(site: Site) -> float:
    """Processor seconds of all hosts' cgroups since the hosts were booted."""
    return sum(_group_cpu(site.lab.name, host.name) for host in site.hosts)


def _group_cpu(lab: str, host: str) -> float:
    for group in cgroups.groups(names.cgroup(lab, host)):
        v1, v2 = group / "cpuacct.usage", group / "cpu.stat"
        if v1.exists():
            return int(v1.read_text()) / 1e9
        if v2.exists():
            used = dict(line.split() for line in v2.read_text().splitlines())
            if "usage_usec" in used:
                return int(used["usage_usec"]) / 1e6
    return 0.0


def _machine_cpu() -> float:
    """Processor seconds that were not idle."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS
