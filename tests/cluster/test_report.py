"""`kubikk runs` and `kubikk report`: what they say of real runs, and the page in a real browser."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from kubikk.ansible.journal import past_runs
from kubikk.report import render
from tests.cluster.support.browser import Browser
from tests.cluster.support.description import Description
from tests.cluster.support.pastrun import STRANGE, made_up
from tests.cluster.support.runs import events, kubikk, runs

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Headless Chromium."""
    return Browser()


@pytest.fixture(scope="module")
def real(cluster: Description, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real run in which roles worked on all hosts, not one look alone."""
    (cluster.directory / "states.json").unlink(missing_ok=True)
    result = kubikk("up", "-f", str(cluster.cluster_file))
    assert result.returncode == 0, result.stdout
    page = tmp_path_factory.mktemp("report") / "report.html"
    written = kubikk("report", "-f", str(cluster.cluster_file), "-o", str(page))
    assert written.returncode == 0, written.stdout
    assert str(page) in written.stdout
    return page


def test_every_run_is_kept_and_listed(cluster: Description, real: Path) -> None:
    last = runs(cluster.directory)[-1]
    kept = {path.name for path in last.iterdir()}
    assert kept >= {"run.json", "cluster.yml", "events.jsonl", "ansible.log", "summary.json"}
    assert (last / "cluster.yml").read_text() == cluster.cluster_file.read_text()
    times = [event["time"] for event in events(last)]
    assert times == sorted(times)
    assert "PLAY RECAP" in (last / "ansible.log").read_text()
    listed = json.loads(kubikk("runs", "--json", "-f", str(cluster.cluster_file)).stdout)
    assert [run["run"] for run in listed] == [run.name for run in runs(cluster.directory)]
    assert listed[-1]["state"] == "done"
    assert listed[-1]["versions"]["components"]["etcd"]
    assert {"kubikk", "ansible-core", "python"} <= set(listed[-1]["versions"])
    table = kubikk("runs", "-f", str(cluster.cluster_file)).stdout
    assert re.search(rf"{last.name} .* up +done", table), table


def test_page_of_a_real_run(cluster: Description, real: Path, browser: Browser) -> None:
    look = browser.look(real)
    assert look.console == []
    assert look.measured["resources"] == []
    assert look.measured["scripts"] == 0
    bars = [(bar["host"], bar["phase"]) for bar in look.measured["bars"]]
    assert len(bars) == len(set(bars))
    assert {host for host, _ in bars} == set(cluster.hosts)
    assert {phase for host, phase in bars if host == cluster.control_planes[0].name} >= {"host", "control plane"}
    assert look.measured["overlapping"] == []
    assert cluster.name in look.measured["visible"]


@pytest.mark.parametrize(("workers", "width"), [(2, 1500), (47, 1500), (2, 700)], ids=["5", "50", "5-narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_at_any_size(workers: int, width: int, dark: bool, browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render(made_up(tmp_path, control_planes=3, workers=workers, longest_name=True)))
    look = browser.look(page, dark=dark, width=width)
    measured = look.measured
    assert look.console == []
    assert measured["resources"] == []
    # 7 phases on a control-plane host, 6 on a worker, of which the last one failed in its fourth.
    assert len(measured["bars"]) == 7 * 3 + 6 * workers - 2
    assert [bar["host"] for bar in measured["bars"] if bar["state"] == "failed"] == [f"w{workers}"]
    assert measured["overlapping"] == []
    left = min(bar["box"][0] for bar in measured["bars"])
    for host in measured["hosts"]:
        assert measured["svg"][0] <= host["box"][0] < host["box"][2] <= left, host
    for bar in measured["bars"]:
        if bar["labelBox"]:
            assert bar["labelBox"][2] <= bar["box"][2] + 1, f"the label sticks out: {bar}"
    # The picture scrolls in its own frame; the page does not.
    assert measured["width"] <= width
    assert _contrast(measured["color"], measured["background"]) >= 7
    assert (_brightness(measured["background"]) < 0.2) is dark


def test_what_hosts_say_is_no_html(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render(made_up(tmp_path, control_planes=1, workers=1)))
    look = browser.look(page)
    assert look.measured["scripts"] == 0
    assert look.measured["visible"].count(STRANGE) >= 4
    assert STRANGE in unescape(page.read_text())
    assert "<b>bold</b>" not in page.read_text()


def test_unfinished_run(tmp_path: Path, browser: Browser) -> None:
    made_up(tmp_path, control_planes=1, workers=1)
    (run,) = runs(tmp_path)
    (run / "summary.json").unlink()
    lines = (run / "events.jsonl").read_text().splitlines(keepends=True)
    (run / "events.jsonl").write_text("".join(lines[:5]) + lines[5][:20])
    (past,) = past_runs(tmp_path)
    assert past.state == "interrupted"
    page = tmp_path / "page.html"
    page.write_text(render(past))
    look = browser.look(page)
    assert "interrupted" in look.measured["visible"]
    assert "unfinished" in {bar["state"] for bar in look.measured["bars"]}


def _channels(colour: str) -> list[float]:
    return [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]


def _brightness(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it: https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_brightness(one), _brightness(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
