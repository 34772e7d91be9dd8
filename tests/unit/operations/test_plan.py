"""A plan that was written is applied only where exactly that would be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubikk.ansible.summary import HostSummary, Summary
from kubikk.errors import KubikkError, ProblemsError
from kubikk.operations.plan import Plan, require_unchanged, save


def planned(cluster: str = "lab", **hosts: HostSummary) -> Plan:
    return Plan(cluster, "digest", Summary(hosts=hosts))


def host(changed: list[str], restarted: list[str] | None = None, after: str = "new") -> HostSummary:
    diffs: list[dict[str, Any]] = [{"after_header": path, "before": "old", "after": after} for path in changed]
    return HostSummary(changed=changed, restarted=restarted or [], diffs=diffs)


def test_the_same_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    found = planned(w1=host(["/etc/a"], ["kubelet"]))
    save(found, file)
    require_unchanged(found, file)


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (planned(w1=host(["/etc/a", "/etc/b"], ["kubelet"])), "w1: would change /etc/b, which the plan does not say"),
        (planned(w1=host([], ["kubelet"])), "w1: would not change /etc/a, which the plan says"),
        (planned(w1=host(["/etc/a"])), "w1: would not restart kubelet, which the plan says"),
        (
            planned(w1=host(["/etc/a"], ["kubelet"]), w2=host([], ["etcd"])),
            "w2: would restart etcd, which the plan does not say",
        ),
        (
            planned(w1=host(["/etc/a"], ["kubelet"], after="newer")),
            "w1: would change /etc/a in another way than the plan shows",
        ),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, now: Plan, message: str) -> None:
    file = tmp_path / "plan"
    save(planned(w1=host(["/etc/a"], ["kubelet"])), file)
    with pytest.raises(ProblemsError) as caught:
        require_unchanged(now, file)
    assert [str(problem) for problem in caught.value.problems] == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "is not a plan"),
        ("[]", "is not a plan"),
        ('{"format": 1}', "is not a plan"),
        ('{"format": 1, "cluster": "other", "hosts": {}}', "is a plan for cluster other, not for lab"),
        ('{"format": 99, "cluster": "lab", "hosts": {}}', "was written by another version"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "plan"
    file.write_text(text)
    with pytest.raises(KubikkError, match=message):
        require_unchanged(planned(), file)
