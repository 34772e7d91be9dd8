"""Ctrl-C while ansible-playbook runs: once it finishes the step in hand, twice it ends at once."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from pathlib import Path

import pytest

from kubikk.ansible import playbook
from kubikk.ansible.events import Event
from kubikk.ansible.interrupts import Interrupts
from kubikk.ansible.playbook import Call, run_playbook

PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - {name: first, ansible.builtin.command: "sh -c 'sleep 2; touch HERE/first'"}
    - {name: second, ansible.builtin.command: "touch HERE/second"}
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A run of two steps, the first of which takes its time."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "two.yml").write_text(PLAY.replace("HERE", str(tmp_path)))
    (tmp_path / "hosts.yml").write_text("all: {hosts: {here: {ansible_connection: local}}}\n")
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(playbook, "content_root", lambda: tmp_path)
    return Call(playbook="two.yml", inventory=tmp_path, run=tmp_path / "run")


def _interrupt(call: Call, times: int) -> list[Event]:
    """Runs it, and presses Ctrl-C while the first step is under way."""
    seen: list[Event] = []

    def follow(event: Event) -> None:
        seen.append(event)
        if event.kind == "task_start" and event.task == "first":
            for number in range(times):
                threading.Timer(0.3 + 0.2 * number, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        run_playbook(call, follow)
    return seen


def test_once_finishes_the_step_in_hand(call: Call) -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = _interrupt(call, 1)
    assert signal.getsignal(signal.SIGINT) is before
    assert (call.inventory / "first").exists()
    assert not (call.inventory / "second").exists()
    kinds = [event.kind for event in seen]
    assert kinds.index("interrupted") < kinds.index("changed")
    assert "failed" not in kinds
    assert '"event": "interrupted"' in (call.run / "events.jsonl").read_text()


def test_twice_ends_at_once(call: Call) -> None:
    _interrupt(call, 2)
    # Had the step gone on, it would have ended by now.
    time.sleep(2.2)
    assert not (call.inventory / "first").exists()


def test_one_that_another_thread_receives_is_heard_of_at_once() -> None:
    """As one that comes a moment before this thread waits: Python runs no handler until it goes on."""
    with Interrupts() as interrupts:
        ended = threading.Event()
        other = threading.Thread(target=ended.wait)
        other.start()
        threading.Timer(0.2, lambda: signal.pthread_kill(other.ident or 0, signal.SIGINT)).start()
        ready, _, _ = select.select([interrupts], [], [], 5)
        ended.set()
        other.join()
        assert ready
        assert interrupts.take() == 1
