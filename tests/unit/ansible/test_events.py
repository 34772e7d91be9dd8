"""Events as lines."""

from __future__ import annotations

from kubikk.ansible.events import Event, parse


def test_a_line_of_an_event_is_that_event_again() -> None:
    event = Event("ok", 12.5, "Prepare hosts", "host", "Look", "cp1", 0.25, "", {"executions": 2}, [{"before": ""}])
    assert parse(event.line()) == event
