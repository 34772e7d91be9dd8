"""What happens in a run, as JSON lines for the program that started it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: events
type: notification
short_description: Write what happens as JSON lines
description:
  - Writes one JSON object a line to the file or descriptor that E(KUBIKK_EVENTS) names (C(/dev/fd/N) works).
  - Of results it passes on only what is known to hold no secret.
  - Where a file appears that E(KUBIKK_STOP) names, the run ends before its next task, when no host is at work.
options: {}
"""

import json
import os
import time

from ansible.plugins.callback import CallbackBase

SAFE = (
    "restarted",
    "files",
    "changes",
    "reasons",
    "warnings",
    "shipped",
    "removed",
    "objects",
    "nodes",
    "restart_required",
    "failure",
    "executions",
    "snapshot",
    "state",
    "look",
)


class CallbackModule(CallbackBase):
    """Writes the events."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kubikk.kubikk.events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        target = os.environ.get("KUBIKK_EVENTS")
        self._stream = open(target, "a", buffering=1) if target else None  # noqa: SIM115
        self.disabled = self._stream is None
        self._play = ""
        self._started = {}

    def _write(self, event, **fields):
        if self._stream is None:
            return
        line = {"time": round(time.time(), 3), "event": event, "play": self._play}
        line.update(fields)
        try:
            self._stream.write(json.dumps(line, default=str) + "\n")
        except OSError:
            # The reader is gone; the run goes on.
            self._stream = None

    @staticmethod
    def _role(task):
        role = task._role
        return role.get_name().rsplit(".", 1)[-1] if role else ""

    @staticmethod
    def _diff(task, answer):
        """Files before and after; only Kubikk's modules are known to keep secrets out of them."""
        return answer.get("diff") or [] if task.action.startswith("kubikk.kubikk.") else []

    def _result(self, event, result, **fields):
        task, host, answer = result._task, result._host.get_name(), result._result
        started = self._started.pop((host, task._uuid), None)
        self._write(
            event,
            role=self._role(task),
            task=task.get_name().split(" : ", 1)[-1],
            host=host,
            changed=bool(answer.get("changed")),
            duration=round(time.time() - started, 3) if started else None,
            result={key: answer[key] for key in SAFE if answer.get(key) or (key == "executions" and key in answer)},
            diff=self._diff(task, answer),
            **fields,
        )

    def _stop_if_asked(self):
        # The strategy calls this when the task before has ended on all hosts; Ansible ends as by Ctrl-C.
        if os.path.exists(os.environ.get("KUBIKK_STOP") or ""):
            raise KeyboardInterrupt

    def v2_playbook_on_task_start(self, task, is_conditional):
        """A task is about to begin on all hosts."""
        self._stop_if_asked()

    def v2_playbook_on_play_start(self, play):
        """A play begins."""
        self._stop_if_asked()
        self._play = play.get_name()
        self._write("play_start")

    def v2_runner_on_start(self, host, task):
        """A task begins on a host."""
        self._started[(host.get_name(), task._uuid)] = time.time()
        self._write("task_start", role=self._role(task), task=task.get_name().split(" : ", 1)[-1], host=host.get_name())

    def v2_runner_on_ok(self, result):
        """A task succeeded on a host."""
        self._result("changed" if result._result.get("changed") else "ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A task failed on a host."""
        message = result._result.get("msg") or result._result.get("stderr") or "failed"
        self._result("failed", result, msg=str(message), ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        """A host did not answer."""
        self._result("unreachable", result, msg=str(result._result.get("msg", "")))

    def v2_runner_on_skipped(self, result):
        """A task was not needed on a host."""
        self._result("skipped", result)

    def v2_playbook_on_stats(self, stats):
        """The run is over."""
        hosts = sorted(stats.processed)
        self._write("stats", hosts={host: stats.summarize(host) for host in hosts})
