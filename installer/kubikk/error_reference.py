"""The page of known errors, made from their table."""

from __future__ import annotations

from kubikk.error_codes import CODES, Code

_TITLE = """\
# Errors

<!-- Generated from installer/kubikk/error_codes.py by `make docs`. -->

Failures that Kubikk knows have a code, which stays the same. `kubikk explain CODE` shows what stands here. A code is
also in the output of `--json`, in `kubikk runs` and in `kubikk report`. After any of these, run the same command again:
it goes on where it stopped.

| code | |
|---|---|"""


def reference() -> str:
    """The page, in Markdown."""
    listing = [f"| [{code.id}](#{code.id.lower()}) | {code.title} |" for code in CODES]
    return "\n".join([_TITLE, *listing, "", *map(_section, CODES)])


def _section(code: Code) -> str:
    # A heading of the code alone, so that links to it stay right when the title is worded anew.
    return (
        f"## {code.id}\n\n**{code.title}.**\n\n- Told by: {code.recognised}.\n- Cause: {code.cause}\n"
        f"- What to do: {code.advice()}\n"
    )
