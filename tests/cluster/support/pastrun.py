"""A run as the journal keeps it, made up: for pages larger and stranger than a lab makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubikk.ansible.journal import PastRun, past_runs

STRANGE = "<script>alert(\"1\")</script> & <b>bold</b> 'quoted'"
"""What must come out as it went in, and not as HTML."""

# role, task, seconds after the phase's begin, seconds it takes
_STEPS = (
    ("host", "Prepare the host", 0.0, 3.0),
    ("etcd", "Install and configure etcd", 4.0, 5.0),
    ("etcd", "Start etcd", 10.0, 2.0),
    ("kube_apiserver", "Install and configure kube-apiserver", 13.0, 6.0),
    ("kube_apiserver", "Start kube-apiserver", 20.0, 7.0),
    ("containerd", "Run containerd", 28.0, 6.0),
    ("cni", "Install CNI plugins", 35.0, 1.0),
    ("api_load_balancer", "Run haproxy", 37.0, 1.5),
    ("kubelet", "Run kubelet", 39.0, 3.0),
    ("flannel", "Run flanneld", 43.0, 2.5),
    ("kube_proxy", "Run kube-proxy", 46.0, 2.0),
)


def made_up(directory: Path, *, control_planes: int, workers: int, longest_name: bool = False) -> PastRun:
    """A run on many hosts; the last worker fails.

    Args:
        directory: where its cluster's directory is made.
        control_planes: number of control-plane hosts.
        workers: number of workers.
        longest_name: whether the first worker has the longest name a host may have.
    """
    run = directory / "runs" / "20260102T030405.000000Z-up"
    run.mkdir(parents=True)
    names = [f"cp{number}" for number in range(1, control_planes + 1)]
    names += [f"w{number}" for number in range(1, workers + 1)]
    if longest_name:
        names[control_planes] = "a" * 63
    events = sorted(_events(names, control_planes), key=lambda event: event["time"])
    (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (run / "cluster.yml").write_text(f"name: made-up # {STRANGE}\n")
    versions = {"kubikk": "0.1.0", "ansible-core": "2.19", "python": "3.11", "components": {"etcd": "3.7.3"}}
    facts = {"verb": "up", "cluster": "made-up", "command": f"kubikk up {STRANGE}", "versions": versions}
    (run / "run.json").write_text(json.dumps(facts))
    error = {
        "code": "KBK-404",
        "host": names[-1],
        "message": f"kubelet is not healthy {STRANGE}",
        "cause": f"kubelet is activating; not healthy after 60 s {STRANGE}",
        "remedy": "do this",
        "journal": ["line one", STRANGE],
    }
    summary = {"verb": "up", "exit": 2, "seconds": 60.0, "hosts": {names[-1]: {"error": error}}}
    (run / "summary.json").write_text(json.dumps(summary))
    return past_runs(directory)[-1]


def _events(names: list[str], control_planes: int) -> Iterator[dict[str, Any]]:
    for number, host in enumerate(names):
        for role, task, begin, seconds in _STEPS:
            if number >= control_planes and role in ("etcd", "kube_apiserver"):
                continue
            if number < control_planes and role == "api_load_balancer":
                continue
            failed = host == names[-1] and role == "kubelet"
            # Hosts differ a little, as they do.
            start = 1767323045.0 + begin + number % 7 * 0.12
            common = {"play": "p", "role": role, "task": task, "host": host}
            yield {"event": "task_start", "time": start, **common}
            kind = "failed" if failed else "changed" if (number + len(role)) % 3 else "ok"
            result = (
                {"files": [f"/etc/kubernetes/{role}/config.yaml"], "restarted": [role]} if kind == "changed" else {}
            )
            end = {"event": kind, "time": start + seconds, "duration": seconds, "result": result, **common}
            yield {**end, "msg": "it broke"} if failed else end
            if failed:
                break
