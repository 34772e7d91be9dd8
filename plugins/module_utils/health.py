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
    if health.get("command"):
        try:
            done = subprocess.run(health["command"], capture_output=True, text=True, check=False, timeout=10)
        except (OSError, subprocess.TimeoutExpired) as error:
            return "%s: %s" % (health["command"][0], error)
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
        return None if done.returncode == 0 else "%s: %s" % (health["command"][0], lines[-1])
    context = None
    if health["url"].startswith("https:"):
        try:
            context = ssl.create_default_context(cafile=health.get("ca"))
            if health.get("cert"):
                context.load_cert_chain(health["cert"], health["key"])
        except OSError as error:
            return "certificates for %s: %s" % (health["url"], error)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(health["url"], timeout=5) as answer:
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
