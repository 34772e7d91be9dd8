"""What a check says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from kubikk.error_codes import Code

Level = Literal["error", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """One answer of one check about one host.

    Attributes:
        level: error (the installation would fail, or harm something), warning (worth knowing), or ok.
        check: the check's name, as docs/preflight.md lists it.
        host: the host; "" where it is about all of them.
        message: what was found, without a full stop.
        remedy: what to do, one sentence; "" for ok.
        code: which of the known failures an error is, or None.
    """

    level: Level
    check: str
    host: str
    message: str
    remedy: str = ""
    code: Code | None = None

    def to_dict(self) -> dict[str, str | None]:
        """For JSON."""
        return {**asdict(self), "code": self.code.id if self.code else None}
