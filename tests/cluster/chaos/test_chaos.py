"""Faults during `up`: it converges or says what to do, then converges; and nothing is lost."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.cluster.chaos import faults
from tests.cluster.chaos.conftest import SEED
from tests.cluster.chaos.faults import Fault
from tests.cluster.chaos.ledger import Ledger
from tests.cluster.chaos.rounds import BOUNDARIES, RANDOM, START, Outcome, give_work, hit
from tests.cluster.chaos.site import Site
from tests.cluster.support.binaries import take_binaries
from tests.cluster.support.description import ClusterHost, Description
from tests.cluster.support.labs import own_lab
from tests.cluster.support.runs import changes, kubikk, runs

pytestmark = pytest.mark.timeout(1500)

_SAMPLE = (
    (faults.CORRUPT, "etcd"),
    (faults.KILL, "kubelet"),
)


def _everywhere() -> list[tuple[Fault, str]]:
    """A kill at every boundary and at random moments, and every other fault at some, so that each boundary has some."""
    chance = random.Random(SEED)  # noqa: S311 (nothing secret)
    rounds = [(faults.KILL, moment) for moment in (START, *BOUNDARIES, RANDOM, RANDOM)]
    others = [each for each in vars(faults).values() if isinstance(each, Fault) and each is not faults.KILL]
    moments = [*BOUNDARIES, RANDOM]
    chance.shuffle(moments)
    for number, fault in enumerate([*others, *others]):
        # What has to meet files on their way begins before they are sent.
        early = (START, "host", "etcd")
        moment = early[number % len(early)] if fault.ships else moments[number % len(moments)]
        rounds.append((fault, moment))
    return [each for each in rounds if each not in _SAMPLE]


def _name(given: Fault | str) -> str:
    return (given.name if isinstance(given, Fault) else given).replace(" ", "-")


def _choose(fault: Fault, cluster: Description, chance: random.Random) -> ClusterHost:
    return chance.choice(cluster.workers if fault.ships or fault.where == "worker" else cluster.nodes)


@pytest.mark.parametrize(
    ("fault", "moment"),
    [*_SAMPLE, *(pytest.param(*each, marks=pytest.mark.full) for each in _everywhere())],
    ids=_name,
)
def test_fault(
    fault: Fault,
    moment: str,
    *,
    cluster: Description,
    cluster_file: Path,
    site: Site,
    ledger: Ledger,
    chance: random.Random,
    outcomes: list[Outcome],
    tmp_path: Path,
) -> None:
    host = _choose(fault, cluster, chance).name
    give_work(cluster_file, chance)
    take_binaries(site.inside, host, "containerd", "kubelet", "kube-proxy", missing_ok=True)
    ledger.write()
    outcome = Outcome(fault.name, moment, host)
    outcomes.append(outcome)
    outcomes[-1], said = hit(site, cluster_file, fault, moment, host, chance=chance, log=tmp_path / "up.log")
    outcome = outcomes[-1]
    if outcome.exit != 0:
        begun = time.monotonic()
        again = kubikk("up", "-f", str(cluster_file))
        outcome.recovery = round(time.monotonic() - begun, 1)
        assert again.returncode == 0, f"first:\n{said}\nagain:\n{again.stdout}"
    ledger.check()
    outcome.survived = True


@pytest.mark.full
def test_faults_of_a_first_installation(
    lab_name: str, outcomes: list[Outcome], chance: random.Random, tmp_path: Path
) -> None:
    """One after the other on the same bare hosts, so that each run gets further; only the last may end well."""
    rounds = (
        (faults.CORRUPT, START, "cp1"),
        (faults.POWER_LONG, "etcd", "cp1"),
        (faults.KILL, "control plane", "cp1"),
        (faults.DISK_BINARIES, "runtime", "w1"),
        (faults.POWER_LONG, "kubelet", "w1"),
        (faults.SESSIONS, "network", "w1"),
    )
    with own_lab(f"{lab_name}-chaos", tmp_path, control_planes=1, workers=1) as own:
        site = Site(own.lab)
        met = []
        for number, (fault, moment, host) in enumerate(rounds):
            outcome, _ = hit(site, own.file, fault, moment, host, chance=chance, log=tmp_path / f"up-{number}.log")
            outcome.moment += " (first)"
            outcomes.append(outcome)
            met.append(outcome)
        final = kubikk("up", "-f", str(own.file))
        assert final.returncode == 0, final.stdout
        again = kubikk("up", "-f", str(own.file))
        assert again.returncode == 0, again.stdout
        assert changes(runs(own.directory)[-1]) == []
        for outcome in met:
            outcome.survived = True
