"""What a command costs, measured on this machine without hosts."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from bench import meter
from bench.site import Site, open_site

from kubikk.errors import KubikkError

_BURN = "import time; end = time.process_time() + {seconds}\nwhile time.process_time() < end: pass"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A lab without hosts, whose network is this machine's loopback."""
    monkeypatch.setattr("kubikk.lab.names.bridge", lambda lab: "lo")
    return open_site("bench-unit", tmp_path)


def _measure(site: Site, tmp_path: Path, *command: str) -> meter.Cost:
    return meter.measure(site, command, finish=lambda: None, log=tmp_path / "log")


def test_processor_time_of_the_command_and_of_what_outlives_it_counts(site: Site, tmp_path: Path) -> None:
    burn = f'"{sys.executable}" -c "{_BURN.format(seconds=0.3)}"'
    # The second process is left behind by its parent, and sleeps when the command has ended, as ssh's masters do.
    lasting = tmp_path / "lasting"
    lasting.write_text(f"{burn}; echo $$ >{tmp_path}/pid; exec sleep 20")
    command = f"{burn}; setsid bash {lasting} >/dev/null 2>&1 & until test -s {tmp_path}/pid; do sleep 0.05; done"
    try:
        found = _measure(site, tmp_path, "bash", "-c", f"({command})")
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert found.control_cpu >= 0.6
    assert found.control_cpu < 6
    assert found.host_cpu == 0


def test_phases_are_named_by_the_output(site: Site, tmp_path: Path) -> None:
    found = _measure(
        site, tmp_path, "bash", "-c", "sleep 0.3; echo '== one'; sleep 0.3; echo other; echo '== two'; sleep 0.3"
    )
    assert list(found.phases) == ["start", "one", "two"]
    assert sum(found.phases.values()) == pytest.approx(found.seconds, abs=0.05)
    assert "other" in (tmp_path / "log").read_text()


def test_seconds_go_to_the_finish_line(site: Site, tmp_path: Path) -> None:
    found = meter.measure(site, ["true"], finish=lambda: time.sleep(0.3), log=tmp_path / "log")
    assert found.seconds >= 0.3


def test_a_command_that_fails_is_no_measurement(site: Site, tmp_path: Path) -> None:
    with pytest.raises(KubikkError, match="ended with 3") as raised:
        _measure(site, tmp_path, "bash", "-c", "echo because; exit 3")
    assert raised.value.cause == "because"
