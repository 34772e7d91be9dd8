"""What can go wrong and is expected to: every such failure is a KubikkError, which the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class KubikkError(Exception):
    """A failure with what an operator needs to act on it.

    Args:
        message: what failed, one sentence.
        host: the host's name in the cluster file, where one host is concerned.
        cause: why, for example the last journal lines of a unit.
        remedy: what to do next.
    """

    def __init__(
        self, message: str, *, host: str | None = None, cause: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.host = host
        self.cause = cause
        self.remedy = remedy


class RunInterruptedError(KubikkError):
    """A run that the operator stopped; the message says how far it came."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input file.

    Attributes:
        message: what is wrong and what was expected.
        file: the file, or None where the problem is not in a file.
        line: line in the file, counted from 1, or None where it cannot be told.
        key: dotted path of the key, for example ``hosts[2].address``.
        remedy: what to write instead.
    """

    message: str
    file: Path | None = None
    line: int | None = None
    key: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        key = f"{self.key}: " if self.key else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{key}{self.message}{remedy}"


class ProblemsError(KubikkError):
    """All problems of an input at once, so that one edit can mend them all."""

    def __init__(self, message: str, problems: list[Problem]) -> None:
        super().__init__(message)
        self.problems = problems
