"""Runs on a host: how the etcd member there is. Changes nothing.

``INPUT`` is {pki: directory, snapshots: directory}. What cannot be told is missing in the answer.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

INPUT: dict[str, Any] = globals().get("INPUT", {})
LOCAL = "https://127.0.0.1:2379"
TIMEOUT = 5


def etcdctl(*arguments: str) -> Any:
    """What etcdctl answers; raises ValueError with what it says is wrong."""
    pki = INPUT["pki"]
    files = [f"--cacert={pki}/ca.crt", f"--cert={pki}/healthcheck.crt", f"--key={pki}/healthcheck.key"]
    command = ["/usr/local/bin/etcdctl", f"--endpoints={LOCAL}", *files, f"--command-timeout={TIMEOUT}s", *arguments]
    try:
        done = subprocess.run(
            [*command, "--write-out=json"], capture_output=True, text=True, check=False, timeout=TIMEOUT + 5
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(str(error)) from error
    plain = [line for line in done.stderr.splitlines() if line and not line.startswith("{")]
    if done.returncode != 0:
        raise ValueError(plain[-1] if plain else f"etcdctl ends with {done.returncode}")
    return json.loads(done.stdout)


def main() -> None:
    """Asks the member on this host."""
    found: dict[str, Any] = {"data": Path("/var/lib/etcd/member").exists(), "members": [], "alarms": []}
    try:
        status = etcdctl("endpoint", "status")[0]["Status"]
        found["status"] = {
            "id": format(status["header"]["member_id"], "x"),
            "leader": format(status.get("leader", 0), "x"),
            "learner": status.get("isLearner", False),
            "applied": status.get("raftAppliedIndex", 0),
            "bytes": status.get("dbSize", 0),
            "used": status.get("dbSizeInUse", 0),
            "quota": status.get("dbSizeQuota", 0),
            "version": status.get("version", ""),
        }
        # These need a leader: a member that has lost the others cannot tell.
        found["members"] = [
            {
                "id": format(member["ID"], "x"),
                "name": member.get("name", ""),
                "peers": member.get("peerURLs", []),
                "learner": member.get("isLearner", False),
            }
            for member in etcdctl("member", "list")["members"]
        ]
        # In JSON an alarm's type is its number in etcd's protocol.
        kinds = {1: "NOSPACE", 2: "CORRUPT"}
        found["alarms"] = [
            [format(alarm["memberID"], "x"), kinds.get(alarm.get("alarm"), str(alarm.get("alarm")))]
            for alarm in etcdctl("alarm", "list").get("alarms") or []
        ]
    except (ValueError, KeyError, IndexError) as error:
        found["error"] = str(error)
    snapshots = [path.stat().st_mtime for path in Path(INPUT["snapshots"]).glob("etcd-*.db")]
    found["snapshot_age"] = time.time() - max(snapshots) if snapshots else None
    command = ["systemctl", "is-failed", "--quiet", "etcd-snapshot.service"]
    found["snapshot_failed"] = subprocess.run(command, check=False, timeout=TIMEOUT).returncode == 0
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
