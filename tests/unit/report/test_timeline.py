"""A timeline from events, and where its bars go."""

from __future__ import annotations

from kubikk.ansible.events import Event
from kubikk.report.picture import picture
from kubikk.report.timeline import timeline


def step(host: str, role: str, task: str, start: float, end: float | None, *, kind: str = "changed") -> list[Event]:
    events = [Event("task_start", start, role=role, task=task, host=host)]
    if end is not None:
        events.append(Event(kind, end, role=role, task=task, host=host))
    return events


def run(*steps: list[Event]) -> list[Event]:
    return sorted((event for each in steps for event in each), key=lambda event: event.time)


def test_one_bar_per_host_and_phase() -> None:
    line = timeline(
        run(
            step("w10", "kubelet", "Run kubelet", 12, 15),
            step("w9", "containerd", "Run containerd", 0, 4, kind="ok"),
            step("w9", "cni", "Install plugins", 5, 9),
            step("w9", "kubelet", "Run kubelet", 12, 14, kind="failed"),
            step("w9", "kubelet", "Validating arguments against arg spec", 11, 11.5, kind="ok"),
            step("w9", "flannel", "Not needed", 16, 17, kind="skipped"),
            step("", "flannel", "Nowhere", 16, 17),
        )
    )
    assert line.hosts == ("w9", "w10")
    assert [(bar.host, bar.phase, bar.start, bar.end, bar.state) for bar in line.bars] == [
        ("w9", "runtime", 0, 9, "changed"),
        ("w9", "kubelet", 12, 14, "failed"),
        ("w10", "kubelet", 12, 15, "changed"),
    ]
    assert line.phases == ("runtime", "kubelet")
    assert [work.task for work in line.slowest][:2] == ["Run containerd", "Install plugins"]


def test_what_was_cut_off_reaches_to_the_last_sign_of_life() -> None:
    line = timeline(run(step("cp1", "etcd", "Run etcd", 1, None), step("cp2", "etcd", "Run etcd", 1, 8)))
    assert [(bar.host, bar.end, bar.state) for bar in line.bars] == [("cp1", 8, "unfinished"), ("cp2", 8, "changed")]


def test_nothing_happened() -> None:
    assert timeline([]).bars == ()


def test_bars_do_not_leave_the_picture() -> None:
    hosts = [f"host-{number}" for number in range(50)]
    line = timeline(
        run(
            *(
                step(host, role, role, 10 * n, 10 * n + 9)
                for host in hosts
                for n, role in enumerate(("etcd", "kubelet"))
            )
        )
    )
    drawn = picture(line)
    assert len(drawn.boxes) == 100
    assert len({(box.host, box.phase) for box in drawn.boxes}) == 100
    for box in drawn.boxes:
        assert drawn.left <= box.x < box.x + box.width <= drawn.width
        assert drawn.axis <= box.y < box.y + box.height <= drawn.height - drawn.axis
    assert 3 <= len(drawn.ticks) <= 13


def test_a_run_of_hours_has_few_ticks() -> None:
    drawn = picture(timeline(run(step("a", "etcd", "t", 0, 30000))))
    assert len(drawn.ticks) <= 13
    assert drawn.ticks[-1].text.count(":") == 2
