"""Binaries that a host loses, and that `up` then has to ship."""

from __future__ import annotations

from collections.abc import Callable


def take_binaries(run: Callable[[str, str], object], host: str, *programs: str, missing_ok: bool = False) -> None:
    """Takes programs off a host; processes that run keep theirs.

    Args:
        run: runs a command on a host.
        host: its name.
        programs: each the component of its own name.
        missing_ok: whether some may be gone already.
    """
    paths = " ".join(f"/opt/kubikk/{name}/*/{name}" for name in programs)
    run(host, f"rm {'-f ' if missing_ok else ''}{paths}")
