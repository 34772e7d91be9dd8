"""What the callback plugin ``kubikk.kubikk.events`` tells of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

# The check of a role's arguments, and the grouping of hosts.
_ON_CONTROL_NODE = ("Validating arguments", "Note what is to be done")


@dataclass(frozen=True)
class Event:
    """One line of the event stream.

    Attributes:
        kind: play_start, task_start, ok, changed, failed, skipped, unreachable or stats.
        time: seconds since the epoch.
        play: name of the play.
        role: name of the role, "" outside of roles.
        task: name of the task.
        host: inventory name of the host, "" where the event concerns none.
        duration: seconds that the task took on the host.
        message: why it failed.
        result: what is known of the result and holds no secret: files, restarted, changes, reasons …
        diff: files before and after, secrets left out.
    """

    kind: str
    time: float
    play: str = ""
    role: str = ""
    task: str = ""
    host: str = ""
    duration: float = 0.0
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    diff: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_result(self) -> bool:
        """Whether a module or action ended, other than what happens on the control node alone."""
        return self.kind in ("ok", "changed", "failed", "unreachable") and not self.on_control_node

    @property
    def on_control_node(self) -> bool:
        """Whether it is of a task that happens on the control node alone, and takes no host's time."""
        return self.task.startswith(_ON_CONTROL_NODE)

    def line(self) -> str:
        """The line that ``parse`` makes it of again."""
        return json.dumps(
            {
                "event": self.kind,
                "time": self.time,
                "play": self.play,
                "role": self.role,
                "task": self.task,
                "host": self.host,
                "duration": self.duration,
                "msg": self.message,
                "result": self.result,
                "diff": self.diff,
            }
        )


def parse(line: str) -> Event | None:
    """The event of a line, or None where the line is none (cut off by a crash)."""
    try:
        data = json.loads(line)
        return Event(
            kind=data["event"],
            time=float(data["time"]),
            play=data.get("play") or "",
            role=data.get("role") or "",
            task=data.get("task") or "",
            host=data.get("host") or "",
            duration=float(data.get("duration") or 0),
            message=data.get("msg") or "",
            result=data.get("result") or {},
            diff=data.get("diff") or [],
        )
    except (ValueError, KeyError, TypeError):
        return None
