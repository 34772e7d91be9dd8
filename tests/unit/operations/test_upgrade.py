"""When an upgrade is refused, and what the playbook is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubikk.errors import KubikkError, ProblemsError
from kubikk.hosts.status import ClusterStatus, ComponentStatus, HostStatus
from kubikk.operations.upgrade import Manner, require_upgradable
from kubikk.progress import Silent

NEW = {"etcd": "3.7.3", "kube-apiserver": "1.37.2", "kubelet": "1.37.2"}
OLD = {"etcd": "3.6.14", "kube-apiserver": "1.36.3", "kubelet": "1.36.3"}


def component(name: str, version: str, problem: str = "") -> ComponentStatus:
    return ComponentStatus(name, True, "active", True, None, 0, version, problem)


def cluster(*hosts: HostStatus) -> ClusterStatus:
    return ClusterStatus("c", datetime.now(UTC), hosts, (), None, ())


def host(name: str, **ill: str) -> HostStatus:
    """Its components, those in ``ill`` with another version and sick."""
    made = [component(each, ill.get(each, version), "down" if each in ill else "") for each, version in OLD.items()]
    return HostStatus(name, "10.0.0.1", ("control-plane",), tuple(made))


def test_a_well_cluster_is_upgraded() -> None:
    require_upgradable(cluster(host("cp1"), host("cp2")), "v1.37.2", NEW, Silent())


def test_an_ill_member_stops_it() -> None:
    with pytest.raises(ProblemsError) as caught:
        require_upgradable(cluster(host("cp1"), host("cp2", etcd="3.6.14")), "v1.37.2", NEW, Silent())
    assert [(problem.key, problem.message) for problem in caught.value.problems] == [
        ("cp2", "etcd is not healthy: down")
    ]


def test_what_an_upgrade_that_did_not_end_left_ill_is_gone_on_with() -> None:
    found = cluster(host("cp1", **{"kube-apiserver": "1.37.2"}), host("cp2", etcd="3.7.3"))
    require_upgradable(found, "v1.37.2", NEW, Silent())


def test_a_silent_worker_is_left_behind() -> None:
    silent = HostStatus("w1", "10.0.0.2", ("worker",), error=KubikkError("no answer"))
    require_upgradable(cluster(host("cp1"), silent), "v1.37.2", NEW, Silent())


def test_there_has_to_be_a_cluster() -> None:
    with pytest.raises(ProblemsError, match="not well"):
        require_upgradable(cluster(HostStatus("cp1", "10.0.0.1", ())), "v1.37.2", NEW, Silent())


@pytest.mark.parametrize("batch", ["0", "-1", "two", "10 %", "%", "0%"])
def test_a_batch_that_is_none(batch: str) -> None:
    with pytest.raises(KubikkError, match="neither a number"):
        Manner(batch).variables()


def test_the_playbook_is_told_what_was_given() -> None:
    assert Manner("25%").variables() == {"upgrade_batch": "25%", "upgrade_force_drain": False}
    assert Manner(drain_timeout=9, force_drain=True).variables() == {
        "upgrade_batch": "1",
        "upgrade_force_drain": True,
        "upgrade_drain_timeout": 9,
    }


def test_etcd_does_not_go_back() -> None:
    with pytest.raises(ProblemsError) as caught:
        require_upgradable(cluster(host("cp1", etcd="3.7.3")), "v1.37.2", {**NEW, "etcd": "3.6.14"}, Silent())
    assert "no way back to 3.6.14" in caught.value.problems[0].message
