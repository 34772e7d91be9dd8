"""What a run came to, gathered from its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubikk.ansible.events import Event
from kubikk.ansible.recognition import recognise
from kubikk.errors import KubikkError

# Roles as an operator thinks of them, in the order in which they run.
PHASES: dict[str, str] = {
    "host": "host",
    "etcd": "etcd",
    "kube_apiserver": "control plane",
    "kube_controller_manager": "control plane",
    "kube_scheduler": "control plane",
    "addons": "control plane",
    "runtime_change": "runtime",
    "upgrade": "upgrade",
    "cloud_controller_manager": "control plane",
    "containerd": "runtime",
    "cri_o": "runtime",
    "docker": "runtime",
    "cni": "runtime",
    "api_load_balancer": "API access",
    "kubelet": "kubelet",
    "flannel": "network",
    "kube_proxy": "Services",
    "cluster_ready": "ready",
    "reset": "reset",
}


def phase_of(event: Event) -> str:
    """The phase that an event belongs to; "" where it belongs to none."""
    return PHASES.get(event.role, "")


@dataclass
class HostSummary:
    """What happened on one host.

    Attributes:
        executions: modules that ran there.
        changed: what was written, installed or set, in order.
        restarted: units.
        reasons: why units were restarted, by unit.
        diffs: files that changed, before and after.
        look: what ``probe`` was asked for there; empty where it was not.
        state: what it found, as it gives it.
        error: why it dropped out, None where it did not.
        unreachable: whether it dropped out because it did not answer.
    """

    executions: int = 0
    changed: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    diffs: list[dict[str, Any]] = field(default_factory=list)
    look: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    error: KubikkError | None = None
    unreachable: bool = False


@dataclass
class Summary:
    """What a run came to so far.

    Attributes:
        hosts: by name.
        look: what was asked for of the cluster in the API, as ``manifests`` and ``nodes`` give it.
        phases: seconds from a phase's first event to its last.
        cells: state of each (host, phase): running, ok, changed, failed or unreachable.
    """

    hosts: dict[str, HostSummary] = field(default_factory=dict)
    look: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _at_work: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes an event into account."""
        phase = phase_of(event)
        if not event.host or not phase:
            return
        begun = self._begun.setdefault(phase, event.time)
        self.phases[phase] = round(event.time - begun, 3)
        host = self.hosts.setdefault(event.host, HostSummary())
        cell = (event.host, phase)
        if event.kind == "task_start":
            self._at_work[event.host] = phase
            if self.cells.get(cell) not in ("changed", "failed", "unreachable"):
                self.cells[cell] = "running"
            return
        self._at_work.pop(event.host, None)
        if event.is_result:
            # None where the host is as it was left, two where it lacked what nobody foresaw.
            host.executions += event.result.get("executions", 1)
        self._result(event, host, cell)

    def _result(self, event: Event, host: HostSummary, cell: tuple[str, str]) -> None:
        if event.kind in ("failed", "unreachable"):
            self.cells[cell] = event.kind
            host.error = recognise(event)
            host.unreachable = event.kind == "unreachable"
        elif event.kind == "changed":
            self.cells[cell] = "changed"
        elif self.cells.get(cell) == "running":
            self.cells[cell] = "ok"
        for key in ("files", "changes", "objects"):
            host.changed += event.result.get(key, [])
        host.changed += [f"removed {item}" for item in event.result.get("removed", [])]
        if event.kind == "changed" and event.result.get("nodes"):
            host.changed += [f"node {name}" for name in event.result["nodes"]]
        host.restarted += event.result.get("restarted", [])
        host.reasons.update(reason.split(": ", 1) for reason in event.result.get("reasons", []))
        host.diffs += event.diff
        host.state = event.result.get("state", host.state)
        (host.look if event.role == "host" else self.look).update(event.result.get("look", {}))

    @property
    def failed(self) -> dict[str, HostSummary]:
        """Hosts that dropped out."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.error}

    @property
    def in_hand(self) -> str:
        """What is under way and where, for example "etcd on cp1, cp2"; "" where nothing is."""
        running: dict[str, list[str]] = {}
        for host, phase in sorted(self._at_work.items()):
            running.setdefault(phase, []).append(host)
        return "; ".join(f"{phase} on {', '.join(hosts)}" for phase, hosts in running.items())

    @property
    def change_count(self) -> int:
        """Things changed and units restarted, on all hosts."""
        return sum(len(host.changed) + len(host.restarted) for host in self.hosts.values())

    def as_dict(self) -> dict[str, Any]:
        """For summary.json and ``--json``."""
        return {
            "changes": self.change_count,
            "phases": self.phases,
            "hosts": {
                name: {
                    "executions": host.executions,
                    "changed": host.changed,
                    "restarted": host.restarted,
                    "error": host.error.to_dict() if host.error else None,
                    "unreachable": host.unreachable,
                }
                for name, host in sorted(self.hosts.items())
            },
        }
