"""One round: something to do, `up`, a fault in the middle of it, and what came of it."""

from __future__ import annotations

import random
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubikk.ansible.summary import PHASES
from tests.cluster.chaos.faults import Fault
from tests.cluster.chaos.site import Site
from tests.cluster.support.edits import random_edits
from tests.cluster.support.runs import PROGRAMS, events, latest

START, RANDOM = "before the first phase", "at a random moment"
BOUNDARIES = tuple(phase for phase in dict.fromkeys(PHASES.values()) if phase not in ("reset", "upgrade"))

_RUN_PATIENCE = 400.0
_LONGEST_RANDOM = 20.0
_INSTRUCTION = re.compile(r"next: \S|goes on from here|\([A-Z].*\.\)")


@dataclass
class Outcome:
    """What came of a fault.

    Attributes:
        fault: what happened.
        moment: the phase at whose beginning it happened, or another moment.
        host: where; "" for the control node.
        seconds: how long the run took that it happened to.
        exit: that run's exit code.
        said: the line with which it told of it; "" where it went through.
        recovery: seconds that the next `up` took; 0 where none was needed.
        survived: whether the cluster is as described, and nothing is lost.
    """

    fault: str
    moment: str
    host: str
    seconds: float = 0.0
    exit: int = 0
    said: str = ""
    recovery: float = 0.0
    survived: bool = False


def give_work(file: Path, chance: random.Random) -> None:
    """Edits the cluster file, so that several components have to be restarted."""
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    for edit in random_edits(chance, 3):
        edit.apply(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def hit(
    site: Site, file: Path, fault: Fault, moment: str, host: str, *, chance: random.Random, log: Path
) -> tuple[Outcome, str]:
    """Starts `up`, lets a fault happen, and waits for the end of both.

    Returns:
        What came of it so far, and what the run printed.

    Raises:
        AssertionError: the run does not end, or does not say what to do.
    """
    outcome = Outcome(fault.name, moment, "" if fault.silent else host)
    before = latest(file.parent)
    begun = time.monotonic()
    with log.open("w") as output:
        command = [str(PROGRAMS / "kubikk"), "up", "-f", str(file)]
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True)
        try:
            _wait_for(moment, lambda: _phases(file.parent, before), run, chance)
            with fault.happens(site, host, run):
                over = time.monotonic() + fault.holds
                while run.poll() is None and time.monotonic() < over:
                    time.sleep(0.1)
            outcome.exit = run.wait(timeout=_RUN_PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it hangs after {_RUN_PATIENCE:.0f} s:\n{log.read_text()}") from None
        finally:
            if run.poll() is None:
                run.kill()
                run.wait()
    outcome.seconds = round(time.monotonic() - begun, 1)
    text = log.read_text()
    assert "Traceback" not in text, text
    assert not (fault.stops and outcome.exit == 0), f"the fault was in nobody's way:\n{text}"
    if outcome.exit != 0 and not fault.silent:
        outcome.said = _said(text)
        assert _INSTRUCTION.search(" ".join(text.split())), f"it does not say what to do:\n{text}"
        assert host in text, f"it does not name {host}:\n{text}"
    return outcome, text


def _phases(directory: Path, before: Path | None) -> set[str]:
    """Phases that the run has begun."""
    run = latest(directory)
    if run is None or run == before:
        return set()
    return {PHASES.get(each.get("role", ""), "") for each in events(run)}


def _wait_for(moment: str, phases: Callable[[], set[str]], run: subprocess.Popen[str], chance: random.Random) -> None:
    if moment in (START, RANDOM):
        time.sleep(chance.uniform(0.3, 2.0 if moment == START else _LONGEST_RANDOM))
        return
    deadline = time.monotonic() + _RUN_PATIENCE
    while moment not in phases():
        assert run.poll() is None, f"it ended before {moment} began"
        assert time.monotonic() < deadline, f"{moment} never began"
        time.sleep(0.05)


def _said(text: str) -> str:
    """The line that tells why a run failed."""
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if re.search(r"error:|failed:|did not answer:", line)]
    return (telling or lines or [""])[-1][:160]
