"""Which hosts etcd can do without."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubikk.errors import KubikkError
from kubikk.hosts.status import ClusterStatus, ComponentStatus, HostStatus
from kubikk.operations.reset import require_quorum


def cluster(members: int, ill: set[str]) -> ClusterStatus:
    hosts = []
    for name in [f"cp{number + 1}" for number in range(members)]:
        problem = "no leader" if name in ill else ""
        etcd = ComponentStatus("etcd", True, "active", True, None, 0, "3.7.3", problem)
        hosts.append(HostStatus(name, "10.0.0.1", ("control-plane",), (etcd,)))
    hosts.append(HostStatus("w1", "10.0.0.9", ("worker",)))
    return ClusterStatus("c", datetime.now(UTC), tuple(hosts), (), None, ())


# members, ill ones, hosts to go, what is said
CASES = [
    (3, set(), {"cp1"}, ""),
    (3, set(), {"w1"}, ""),
    (3, {"cp1", "cp2"}, {"w1"}, ""),
    (3, {"cp1"}, {"cp1"}, ""),
    (3, {"cp2"}, {"cp1"}, "of its 3 members 2 must be healthy, and only cp3 would stay"),
    (3, set(), {"cp1", "cp2"}, "only cp3 would stay"),
    (5, set(), {"cp1", "cp2", "w1"}, ""),
    (5, {"cp5"}, {"cp1", "cp2"}, "of its 5 members 3 must be healthy, and only cp3, cp4 would stay"),
    (1, set(), {"cp1"}, "of its 1 members 1 must be healthy, and none would stay"),
]


@pytest.mark.parametrize(("members", "ill", "gone", "cause"), CASES)
def test_quorum(members: int, ill: set[str], gone: set[str], cause: str) -> None:
    names = {f"cp{number + 1}" for number in range(members)}
    if not cause:
        require_quorum(cluster(members, ill), names, gone)
        return
    with pytest.raises(KubikkError) as caught:
        require_quorum(cluster(members, ill), names, gone)
    assert cause in (caught.value.cause or "")
    assert "kubikk node remove" in (caught.value.remedy or "")
