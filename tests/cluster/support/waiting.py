"""Waiting for what takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx

T = TypeVar("T")

_EXPECTED = (AssertionError, httpx.HTTPError, OSError)


def until(check: Callable[[], T], what: str, *, within: float, every: float = 0.5) -> T:
    """Tries until something true comes back, and returns it; failed assertions and connections count as not yet.

    Args:
        check: what is tried.
        what: what is waited for, for the message.
        within: seconds.
        every: seconds between attempts.

    Raises:
        AssertionError: it did not happen in time.
    """
    deadline = time.monotonic() + within
    reason = ""
    while True:
        try:
            if result := check():
                return result
            reason = f"last answer: {result!r}"
        except _EXPECTED as error:
            reason = f"{type(error).__name__}: {error}"
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what} ({reason})"
        time.sleep(every)


def lasting(check: Callable[[], object], what: str, *, within: float, seconds: float, every: float = 0.5) -> float:
    """Waits until something is true and stays so.

    Args:
        check: what is tried.
        what: what is waited for, for the message.
        within: seconds until it must be true for good.
        seconds: how long it must then stay true without a single failure.
        every: seconds between attempts.

    Returns:
        Seconds after which it was true for good.

    Raises:
        AssertionError: it failed later than ``within``.
    """
    begin = time.monotonic()
    good_since: float | None = None
    while good_since is None or time.monotonic() - good_since < seconds:
        now = time.monotonic()
        reason = "it said no"
        try:
            good = bool(check())
        except _EXPECTED as error:
            good, reason = False, f"{type(error).__name__}: {error}"
        if not good:
            good_since = None
            assert now - begin < within, f"after {now - begin:.1f} s still not: {what} ({reason})"
        elif good_since is None:
            good_since = now
        time.sleep(every)
    return good_since - begin
