"""Whether a component answers as a healthy one does."""

from __future__ import annotations

import ssl
import subprocess
import time
import urllib.error
import urllib.request


def check(health):
    """One try.

    Args:
        health: {url, ca, cert, key, expect} or {command: [argv]}.

    Returns:
        None where it is healthy, else a sentence that says what was seen.
    """
    return check_command(health["command"]) if health.get("command") else check_url(health)


def check_command(command):
    """None where the program succeeds, else the last line it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "%s: %s" % (command[0], error)
    lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
    return None if done.returncode == 0 else "%s: %s" % (command[0], lines[-1])


def check_url(health):
    """None where the URL answers 200 with the expected text, else what it answered."""
    context = None
    try:
        if health["url"].startswith("https:"):
            context = ssl.create_default_context(cafile=health.get("ca"))
            if health.get("cert"):
                context.load_cert_chain(health["cert"], health["key"])
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        with urllib.request.build_opener(*handlers).open(health["url"], timeout=5) as answer:
            body = answer.read(65536).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return "%s answers %d: %s" % (health["url"], error.code, error.read(300).decode("utf-8", "replace").strip())
    except (OSError, ValueError) as error:
        return "%s: %s" % (health["url"], getattr(error, "reason", error))
    if health.get("expect") and health["expect"] not in body:
        return "%s answers %r" % (health["url"], body[:200])
    return None


def wait(health, timeout, clock=time.monotonic, sleep=time.sleep, once=check):
    """Tries until it is healthy, for ``timeout`` seconds; returns None or what was seen last."""
    deadline = clock() + timeout
    pause = 0.1
    while True:
        seen = once(health)
        if seen is None or clock() >= deadline:
            return seen
        sleep(pause)
        pause = min(pause * 1.5, 1.0)
