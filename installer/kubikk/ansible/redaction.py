"""Takes secrets out of what is kept of a run. Modules hand none over; this is for what nobody thought of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

HIDDEN = "(secret)"

_PATTERNS = (
    # Private keys, also inside of JSON strings.
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    # Tokens of service accounts and of OIDC: JSON Web Tokens.
    re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"),
    re.compile(r"(?i)(?<=bearer )[\w.~+/-]{16,}=*"),
)
_IN_URL = re.compile(r"(?<=://)([^/\s:@\"']+):([^/\s@\"']+)@")
_SHORTEST = 6  # shorter passwords would take ordinary words out


class Redactor:
    """Replaces secrets.

    Args:
        values: secrets that are known literally.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return _IN_URL.sub(rf"\1:{HIDDEN}@", text)

    def file(self, path: Path) -> None:
        """Rewrites a file if it holds any."""
        before = path.read_text(errors="replace")
        after = self(before)
        if after != before:
            path.write_text(after)
