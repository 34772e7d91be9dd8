"""One run of a playbook on a cluster: locked, journalled, summed up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kubikk.ansible.events import Event
from kubikk.ansible.journal import write_summary
from kubikk.ansible.playbook import Call, run_playbook
from kubikk.ansible.summary import PHASES, Summary
from kubikk.errors import KubikkError, RunInterruptedError
from kubikk.hosts.looks import Look
from kubikk.operations import states
from kubikk.operations.record import redactor
from kubikk.operations.workspace import Workspace

_CLUSTER = "cluster.yml"


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        summary: what happened where.
        seconds: how long it took.
        directory: its journal.
    """

    summary: Summary
    seconds: float
    directory: Path

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"run": self.directory.name, "seconds": round(self.seconds, 1), **self.summary.as_dict()}


@dataclass(frozen=True)
class RunOptions:
    """What the operator says about a run.

    Attributes:
        limit: hosts to limit it to; all where empty.
        become_password: for sudo.
        on_event: follows the run.
        lost: hosts of which preflight found that they do not answer.
        check: whether to change nothing, and say what would be changed.
        wait: seconds to wait for a component to be healthy, and for nodes and addons; each role's own where None.
        variables: of Ansible, for what one run is to do; no secrets, since they stay in the run's directory.
    """

    limit: tuple[str, ...] = ()
    become_password: str | None = None
    on_event: Callable[[Event], None] = lambda event: None
    lost: frozenset[str] = frozenset()
    check: bool = False
    wait: int | None = None
    variables: Mapping[str, int | str | bool | list[str]] = field(default_factory=dict)


def run(workspace: Workspace, verb: str, playbook: str, options: RunOptions, lock: int, *, record: Path) -> RunResult:
    """Runs a playbook and notes how it went.

    Args:
        workspace: the cluster and its directory.
        verb: for the journal, for example ``up``.
        playbook: file name below playbooks/.
        options: what the operator says about it.
        lock: descriptor of the cluster's lock, which the child keeps.
        record: the run's directory in the journal (see ``recorded``).

    Raises:
        KubikkError: Ansible failed in a way that no host accounts for.
        RunInterruptedError: Ctrl-C.
    """
    summary = Summary()
    begun = time.monotonic()
    redact = redactor(workspace, options.become_password)

    def follow(event: Event) -> None:
        summary.add(event)
        options.on_event(event)

    made_of = states.recipe(workspace) if playbook == _CLUSTER and not options.variables else None
    whole = not (options.limit or options.lost)
    if made_of and whole and (looks := states.as_left(workspace, made_of, options.become_password)):
        _tell(looks, "host", record, follow)
        code = 0
    else:
        known = {"kubikk_known_states": states.known(workspace.directory, made_of)} if made_of else {}
        call = Call(
            playbook=playbook,
            inventory=workspace.directory,
            run=record,
            limit=options.limit,
            become_password=options.become_password,
            check=options.check,
            inherit=(lock,),
            variables={**_timeouts(options.wait), **known, **options.variables},
            redact=redact,
        )
        try:
            code = run_playbook(call, follow)
        except KeyboardInterrupt:
            spent = round(time.monotonic() - begun, 1)
            write_summary(record, {"verb": verb, "interrupted": True, "seconds": spent, **summary.as_dict()}, redact)
            raise _interrupted(verb, summary) from None
        finally:
            redact.file(record / "ansible.log")
        if made_of and code == 0 and not options.check:
            _tell(states.note(workspace, made_of, summary, options.become_password), "cluster_ready", record, follow)
    seconds = time.monotonic() - begun
    write_summary(record, {"verb": verb, "exit": code, "seconds": round(seconds, 1), **summary.as_dict()}, redact)
    if code != 0 and not summary.failed:
        log = (record / "ansible.log").read_text(errors="replace").strip().splitlines()
        raise KubikkError(
            f"ansible-playbook ended with {code}",
            cause="\n".join(log[-15:]),
            remedy=f"the whole log is {record / 'ansible.log'}",
        )
    return RunResult(summary, seconds, record)


def _tell(looks: Mapping[str, Look], role: str, record: Path, follow: Callable[[Event], None]) -> None:
    """Puts the wrapper's own looks at hosts among the events of a run, as if a task of a role had looked."""
    events = []
    for name, look in looks.items():
        begun = Event("task_start", round(look.begun, 3), role=role, task="Look at the host", host=name)
        end = round(look.begun + look.seconds, 3)
        events += [begun, replace(begun, kind="ok", time=end, duration=round(look.seconds, 3))]
    with (record / "events.jsonl").open("a") as journal:
        for event in sorted(events, key=lambda event: event.time):
            journal.write(event.line() + "\n")
            follow(event)


def _timeouts(wait: int | None) -> dict[str, int]:
    """The roles' variables that say how long to wait."""
    if wait is None:
        return {}
    return {**{f"{role}_start_timeout": wait for role in PHASES}, "cluster_ready_timeout": wait}


def _interrupted(verb: str, summary: Summary) -> RunInterruptedError:
    """Says how far a run came that Ctrl-C ended."""
    done = f"interrupted after {summary.change_count} changes"
    again = f"`kubikk {verb.replace('-', ' ')}` again goes on from here"
    if not summary.in_hand:
        return RunInterruptedError(f"{done}; no step is half done", remedy=again)
    return RunInterruptedError(
        f"{done}, at once: {summary.in_hand} may still end there",
        remedy=f"{again}; it waits for what is still at work on a host",
    )
