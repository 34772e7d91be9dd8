"""What all rounds share, and the report at the end."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubikk.lab import Lab
from kubikk.progress import Silent
from tests.cluster.chaos import report
from tests.cluster.chaos.ledger import Ledger
from tests.cluster.chaos.rounds import Outcome
from tests.cluster.chaos.site import Site
from tests.cluster.support.description import Description
from tests.cluster.support.runs import changes, kubikk, runs

SEED = int(os.environ.get("KUBIKK_CHAOS_SEED") or random.SystemRandom().randrange(10**6))

_OUTCOMES = pytest.StashKey[list[Outcome]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table."""
    outcomes = config.stash.get(_OUTCOMES, [])
    if outcomes:
        terminalreporter.section("faults")
        for line in report.table(outcomes, SEED):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config, cluster: Description) -> Iterator[list[Outcome]]:
    """What came of every fault."""
    found = pytestconfig.stash.setdefault(_OUTCOMES, [])
    yield found
    report.write(found, SEED, cluster.directory / "faults.json")


@pytest.fixture(scope="session")
def chance() -> random.Random:
    """Where choices come from; the seed is printed with the report."""
    return random.Random(SEED)  # noqa: S311 (nothing secret)


@pytest.fixture(scope="session")
def site(cluster: Description) -> Site:
    """The lab's hosts."""
    return Site(Lab(cluster.name, Silent()))


@pytest.fixture(scope="session")
def ledger(cluster: Description) -> Iterator[Ledger]:
    """What must not be lost."""
    ledger = Ledger(cluster)
    ledger.open()
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def cluster_file(cluster: Description) -> Iterator[Path]:
    """The cluster file; in the end it is as before, and so is the cluster, with nothing left to do."""
    before = cluster.cluster_file.read_text()
    yield cluster.cluster_file
    cluster.cluster_file.write_text(before)
    back = kubikk("up", "-f", str(cluster.cluster_file))
    assert back.returncode == 0, back.stdout
    again = kubikk("up", "-f", str(cluster.cluster_file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(cluster.directory)[-1]) == []
