"""What can go wrong and is expected to: every such failure is a KubikkError, which the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubikk.error_codes import Code


class KubikkError(Exception):
    """A failure with what an operator needs to act on it.

    Args:
        message: what failed, one sentence.
        host: the host's name in the cluster file, where one host is concerned.
        cause: why, for example the last journal lines of a unit.
        remedy: what to do next; the code's where none is given.
        code: which of the known failures it is, or None.
        journal: the last journal lines of the unit that failed.
    """

    def __init__(
        self,
        message: str,
        *,
        host: str | None = None,
        cause: str | None = None,
        remedy: str | None = None,
        code: Code | None = None,
        journal: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.host = host
        self.cause = cause
        self.code = code
        self.remedy = remedy or (code.advice(host or "the host") if code else None)
        self.journal = journal

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "code": self.code.id if self.code else None,
            "host": self.host,
            "message": self.message,
            "cause": self.cause,
            "remedy": self.remedy,
            "journal": list(self.journal),
        }


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
        code: which of the known failures it is, or None.
    """

    message: str
    file: Path | None = None
    line: int | None = None
    key: str = ""
    remedy: str = ""
    code: Code | None = None

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

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with each problem."""
        found = [
            {
                "code": problem.code.id if problem.code else None,
                "place": problem.key or (str(problem.file) if problem.file else ""),
                "message": problem.message,
                "remedy": problem.remedy,
            }
            for problem in self.problems
        ]
        return {**super().to_dict(), "problems": found}
