"""What is generated from commands and error codes is current."""

from __future__ import annotations

import pytest

from kubikk.cli.publishing import documents
from kubikk.paths import content_root


@pytest.mark.parametrize("relative", sorted(documents()))
def test_generated_files_are_current(relative: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run ``make docs`` after a change of the commands or codes."""
    monkeypatch.delenv("KUBIKK_CLUSTER", raising=False)
    assert (content_root() / relative).read_text() == documents()[relative]
