"""A thousand hosts: the cluster file, certificates, the inventory, what a run is made of; and all of it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HOSTS = 1000
CPU_SECONDS = 10.0
MEGABYTES = 500

# In a process of its own, whose memory is its own. Processor seconds: what else the machine does counts for nothing.
_PROGRAM = """\
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
from kubikk import inventory, pki
from kubikk.operations import states
from kubikk.operations.workspace import open_workspace

def prepare(file):
    begun = time.process_time()
    workspace = open_workspace(Path(file))
    issued = pki.ensure(workspace.cluster, workspace.pki, now=datetime.now(UTC))
    changed = inventory.build(workspace.cluster, json.loads(sys.argv[2])).write(workspace.directory)
    assert len(states.recipe(workspace).hosts) == len(workspace.cluster.hosts)
    return {"cpu": time.process_time() - begun, "issued": len(issued.issued), "changed": len(changed)}

found = {"first": prepare(sys.argv[1]), "second": prepare(sys.argv[1])}
found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(found))
"""


def _cluster_file(directory: Path) -> Path:
    lines = ["name: large", "network: {pod_cidr: 10.128.0.0/13}", "hosts:"]
    for number in range(HOSTS):
        role = "control-plane" if number < 5 else "worker"
        address = f"10.10.{number // 250}.{number % 250 + 1}"
        lines.append(f"  - {{name: h{number}, address: {address}, roles: [{role}], labels: {{rack: r{number // 40}}}}}")
    file = directory / "cluster.yml"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_thousand_hosts_are_prepared_for_in_seconds(tmp_path: Path) -> None:
    artifact = {"version": "1", "amd64": {"files": {"x": {"path": "/cache/x", "sha256": "ab" * 32, "size": 1}}}}
    artifacts = dict.fromkeys(("etcd", "kubelet", "kube-proxy", "containerd", "flannel"), artifact)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(_cluster_file(tmp_path)), json.dumps(artifacts)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["first"]["issued"] > 4 * HOSTS
    assert found["first"]["changed"] == HOSTS + 2
    assert (found["second"]["issued"], found["second"]["changed"]) == (0, 0)
    assert found["first"]["cpu"] < CPU_SECONDS, found
    assert found["second"]["cpu"] < CPU_SECONDS, found
    assert found["megabytes"] < MEGABYTES, found
