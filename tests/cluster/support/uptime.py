"""Asks addresses ten times a second from a host, all along, and tells how long which of them did not answer."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_UNIT = "kubikk-test-uptime"
_RESULT = "/run/kubikk-test-uptime.json"

# Every request has a connection of its own, and does not wait for the one before it.
_PROGRAM = r"""
import json, signal, ssl, sys, threading, time, urllib.request
targets, result = json.loads(sys.argv[1]), sys.argv[2]
asked = {name: [] for name in targets}
stop, lock = threading.Event(), threading.Lock()
signal.signal(signal.SIGTERM, lambda *_: stop.set())

def ask(name, target, begun):
    trouble = ""
    try:
        context = None
        if target.get("ca"):
            context = ssl.create_default_context(cafile=target["ca"])
            context.load_cert_chain(target["pair"])
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        with urllib.request.build_opener(*handlers).open(target["url"], timeout=5) as answer:
            answer.read()
    except Exception as error:
        trouble = "%s: %s" % (type(error).__name__, error)
    with lock:
        asked[name].append((begun, time.monotonic() - begun, trouble))

turn = time.monotonic()
while not stop.is_set():
    for name, target in targets.items():
        threading.Thread(target=ask, args=(name, target, time.monotonic()), daemon=True).start()
    turn += 0.1
    stop.wait(max(0.0, turn - time.monotonic()))
time.sleep(5.5)
found = {}
with lock:
    for name, answers in asked.items():
        answers.sort()
        down, since, longest, errors = 0.0, None, 0.0, []
        for begun, took, trouble in answers:
            if trouble:
                since = begun if since is None else since
                errors.append("%.1f s: %s" % (begun - answers[0][0], trouble))
            elif since is not None:
                down, longest, since = down + begun - since, max(longest, begun - since), None
        if since is not None:
            down, longest = down + answers[-1][0] - since, max(longest, answers[-1][0] - since)
        slowest = max((took for _, took, _ in answers), default=0.0)
        found[name] = {"asked": len(answers), "failed": len(errors), "down": round(down, 2),
                       "longest": round(longest, 2), "slowest": round(slowest, 2), "errors": errors[:10]}
with open(result, "w") as stream:
    json.dump(found, stream)
"""

Run = Callable[[str, str], str]
"""What a command prints on a host: (host, command)."""


@dataclass
class Uptime:
    """How an address answered.

    Attributes:
        asked: requests made.
        failed: those without a good answer.
        down: seconds without one, from the first failed request of each row of them to the next good one.
        longest: of these rows the longest, in seconds.
        slowest: seconds of the slowest request.
        errors: the first ten, each with when it came.
    """

    asked: int = 0
    failed: int = 0
    down: float = 0.0
    longest: float = 0.0
    slowest: float = 0.0
    errors: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.failed} of {self.asked} requests failed, down {self.down:.1f} s, slowest {self.slowest:.1f} s"
        return text + (f" ({'; '.join(self.errors[:3])})" if self.errors else "")


@contextmanager
def measured(run: Run, host: str, urls: dict[str, str]) -> Iterator[dict[str, Uptime]]:
    """Asks addresses from a host while the body runs.

    Args:
        run: runs commands on hosts.
        host: where the requests come from.
        urls: name -> URL; of ``https`` the cluster's authority is checked, and kubelet's certificate is shown.

    Yields:
        By name what was found; filled when the body ends.
    """
    tls = {"ca": "/etc/kubernetes/kubelet/ca.crt", "pair": "/var/lib/kubelet/pki/kubelet-client-current.pem"}
    targets = {name: {"url": url, **(tls if url.startswith("https:") else {})} for name, url in urls.items()}
    command = ["systemd-run", "--quiet", f"--unit={_UNIT}", "python3", "-c", _PROGRAM, json.dumps(targets), _RESULT]
    run(host, f"rm -f {_RESULT}; systemctl reset-failed {_UNIT} 2>/dev/null; {shlex.join(command)}")
    found: dict[str, Uptime] = {}
    try:
        yield found
    finally:
        run(host, f"systemctl stop {_UNIT}")
        for name, values in json.loads(run(host, f"cat {_RESULT}")).items():
            found[name] = Uptime(**{**values, "errors": tuple(values["errors"])})
            print(f"{name}: {found[name]}")
