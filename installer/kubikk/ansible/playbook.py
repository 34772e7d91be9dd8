"""Runs ansible-playbook as a child process and follows what it does."""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kubikk.ansible.events import Event, parse
from kubikk.ansible.interrupts import Interrupts, end_with_descendants
from kubikk.ansible.redaction import Redactor
from kubikk.errors import KubikkError
from kubikk.paths import collections_path, content_root

STOP = "stop"
"""A file of this name in a run's directory stops it before the next step."""

_PR_SET_PDEATHSIG = 1
_ANSIBLE_INTERRUPTED = 99


@dataclass(frozen=True)
class Call:
    """What to run.

    Attributes:
        playbook: file name below playbooks/, for example ``cluster.yml``.
        inventory: the cluster's directory with hosts.yml.
        run: directory for events.jsonl and ansible.log.
        limit: hosts to limit the run to; all where empty.
        become_password: for sudo; passed through a pipe, never on a command line or in a file.
        inherit: file descriptors that the child keeps open (the cluster's lock).
        forks: hosts worked on at a time.
        check: whether to change nothing and say what would be changed, with diffs.
        variables: of Ansible, before those of the inventory; no secrets, since they stay in the run's directory.
        redact: takes secrets out of events that are kept.
    """

    playbook: str
    inventory: Path
    run: Path
    limit: tuple[str, ...] = ()
    become_password: str | None = None
    inherit: tuple[int, ...] = ()
    forks: int = 50
    check: bool = False
    variables: Mapping[str, int | str | bool | list[str] | dict[str, str]] = field(default_factory=dict)
    redact: Redactor = field(default_factory=Redactor)


def ansible_playbook() -> Path:
    """The ansible-playbook of this Python environment, or of the PATH.

    Raises:
        KubikkError: there is none.
    """
    own = Path(sys.executable).parent / "ansible-playbook"
    found = own if own.exists() else shutil.which("ansible-playbook")
    if found is None:
        raise KubikkError("ansible-playbook is not installed", remedy="install ansible-core beside kubikk")
    return Path(found)


def environment(call: Call, events: int) -> dict[str, str]:
    """The child's environment: the caller's, with everything of Ansible's set here and no ansible.cfg read."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(call.run / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections_path()),
        "ANSIBLE_CALLBACKS_ENABLED": "kubikk.kubikk.events,kubikk.kubikk.workers",
        "ANSIBLE_FORKS": str(call.forks),
        "ANSIBLE_GATHERING": "explicit",
        "ANSIBLE_HOST_KEY_CHECKING": "true",
        "ANSIBLE_INJECT_FACT_VARS": "false",
        "ANSIBLE_NO_TARGET_SYSLOG": "true",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        # AES first: with the processor's help it sends binaries at several times the rate of the default cipher.
        # A host that lost its power says nothing: a connection is given up after 30 s.
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s -o ConnectTimeout=10"
        " -o ServerAliveInterval=10 -o ServerAliveCountMax=3"
        " -o Ciphers=^aes128-gcm@openssh.com",
        # A connection that broke is made again, after 1 and 3 s: a step can be repeated, and waits for itself.
        "ANSIBLE_SSH_RETRIES": "2",
        "ANSIBLE_TIMEOUT": "20",
        "KUBIKK_EVENTS": f"/dev/fd/{events}",
        "KUBIKK_STOP": str(call.run / STOP),
    }


def _die_with_parent() -> None:
    # A wrapper that is killed takes ansible-playbook with it, so that the next run does not meet it.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run_playbook(call: Call, on_event: Callable[[Event], None]) -> int:
    """Runs a playbook to its end.

    Ctrl-C once lets the step in hand end on all hosts, and stops before the next; twice stops at once.

    Args:
        call: what to run.
        on_event: called for every event, in order.

    Returns:
        ansible-playbook's exit code: 0 where every host succeeded.

    Raises:
        KeyboardInterrupt: Ctrl-C, and something was left to be done.
        KubikkError: ansible-playbook is not installed.
    """
    # An empty one: neither the caller's nor the system's settings may change what a run does.
    (call.run / "ansible.cfg").touch()
    reading, writing = os.pipe()
    command = [str(ansible_playbook()), "-i", str(call.inventory / "hosts.yml")]
    if call.limit:
        command += ["--limit", ",".join(call.limit)]
    if call.check:
        command += ["--check", "--diff"]
    if call.variables:
        variables = call.run / "variables.json"
        variables.write_text(json.dumps(dict(call.variables), sort_keys=True))
        command += ["--extra-vars", f"@{variables}"]
    stdin = os.open(os.devnull, os.O_RDONLY) if call.become_password is None else _pipe_with(call.become_password)
    if call.become_password is not None:
        command += ["--become-password-file", "-"]
    command.append(str(content_root() / "playbooks" / call.playbook))
    with (call.run / "ansible.log").open("w") as log, (call.run / "events.jsonl").open("w") as journal:
        child = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(call, writing),
            pass_fds=[writing, *call.inherit],
            # A session of its own: Ctrl-C does not reach it.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 (called from the main thread only)
        )
        os.close(writing)
        os.close(stdin)
        try:
            _follow(child, reading, call, journal, on_event)
            code = child.wait()
        finally:
            os.close(reading)
            if child.poll() is None:
                end_with_descendants(child.pid)
                child.wait()
    if code == _ANSIBLE_INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _pipe_with(text: str) -> int:
    """The reading end of a pipe that holds a line of text and then ends."""
    reading, writing = os.pipe()
    os.write(writing, text.encode() + b"\n")
    os.close(writing)
    return reading


def _follow(
    child: subprocess.Popen[bytes], reading: int, call: Call, journal: IO[str], on_event: Callable[[Event], None]
) -> None:
    """Passes events on until ansible-playbook ends.

    Raises:
        KeyboardInterrupt: Ctrl-C came a second time, and everything was ended.
    """

    def pass_on(line: str) -> None:
        line = call.redact(line)
        journal.write(line + "\n")
        journal.flush()
        event = parse(line)
        if event is not None:
            on_event(event)

    rest = b""
    with Interrupts() as interrupts, selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        selector.register(interrupts, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if interrupts in ready:
                count = interrupts.take()
                if count > 1:
                    end_with_descendants(child.pid)
                    raise KeyboardInterrupt
                if count == 1:
                    (call.run / STOP).touch()
                    pass_on(Event("interrupted", round(time.time(), 3)).line())
            if reading in ready:
                data = os.read(reading, 1 << 16)
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    pass_on(line.decode(errors="replace"))
