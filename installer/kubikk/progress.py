"""How long work reports on itself without knowing how it is shown."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of named pieces of work; may be called from several threads."""

    def start(self, name: str, total: float | None = None, unit: str = "") -> None:
        """A piece of work begins; ``total`` in ``unit`` (bytes, seconds, steps), None where it is unknown."""

    def advance(self, name: str, done: float) -> None:
        """``done`` of the total is reached (absolute, not an increment)."""

    def finish(self, name: str, note: str = "") -> None:
        """The piece of work is done; ``note`` says what came of it, for example "from cache"."""

    def log(self, line: str) -> None:
        """A line worth keeping."""


class Silent:
    """Shows nothing; for tests and for callers who do not care."""

    def start(self, name: str, total: float | None = None, unit: str = "") -> None: ...

    def advance(self, name: str, done: float) -> None: ...

    def finish(self, name: str, note: str = "") -> None: ...

    def log(self, line: str) -> None: ...
