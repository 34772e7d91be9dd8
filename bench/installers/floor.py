"""The floor: the files that Kubikk brings, copied with tar over ssh, and the units that it starts; no more."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

from bench.installers.base import Installer, Program, host_environment, kubectl
from bench.installers.kubikk import Kubikk
from bench.site import Site
from kubikk.ansible.journal import past_runs
from kubikk.errors import KubikkError

_SCRIPT = Path(__file__).with_name("floor.sh")
# What changes on a host by itself. Which addresses a node's pods get is decided anew in every cluster: the CNI
# configuration of another one gives pods addresses that nobody finds.
_OWN = (
    "/etc/cni/net.d",
    "/etc/ssh",
    "/root",
    "/tmp",
    "/var/cache",
    "/var/lib/dpkg",
    "/var/lib/kubikk",
    "/var/lib/systemd",
    "/var/log",
    "/var/tmp",
)
# Directories that lie on file systems of their own or among what is left out, with what of them is taken.
_BESIDE = (
    ("/etc/cni/net.d", 0),
    ("/var/lib/etcd", 0),
    ("/var/log/kube-apiserver", 0),
    ("/var/lib/kubelet", 0),
    ("/var/lib/kubelet/pki", 1),
)


class Floor(Installer):
    """A shell script, and what a cluster of Kubikk's was found to consist of."""

    name = "floor"

    def prepare(self, site: Site, control_planes: int, workers: int) -> None:
        """Installs a cluster with Kubikk, and takes down what that wrote and started."""
        site.fresh(control_planes, workers)
        payload = self._payload(site)
        if _is_of(payload, site):
            return
        begun = {host.name: _on(site, host.name, "date +%s.%N").strip() for host in site.hosts}
        program = Kubikk().program(site)
        done = subprocess.run(program.command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise KubikkError("the cluster that the floor is to copy did not come up", cause=done.stdout + done.stderr)
        payload.mkdir(parents=True, exist_ok=True)
        for host in site.hosts:
            with (payload / f"{host.name}.tar").open("wb") as stream:
                subprocess.run(site.ssh(host.name, _collecting(begun[host.name])), stdout=stream, check=True)
        _write_objects(site, payload)
        (payload / "kubeconfig").write_bytes((site.directory / "kubeconfig").read_bytes())
        (payload / "hosts.json").write_text(json.dumps(_hosts(site)))

    def program(self, site: Site) -> Program:
        """The script."""
        environment = host_environment(site, site.root / "work" / self.name)
        environment["FLOOR_PAYLOAD"] = str(self._payload(site))
        return Program(["bash", str(_SCRIPT)], Path(environment["BENCH_KUBECONFIG"]), environment)

    def _payload(self, site: Site) -> Path:
        return site.root / "payload" / f"floor-{len(site.hosts)}"


def _hosts(site: Site) -> dict[str, str]:
    return {host.name: host.address for host in site.hosts}


def _is_of(payload: Path, site: Site) -> bool:
    """Whether a payload is of these hosts; certificates hold addresses."""
    file = payload / "hosts.json"
    return file.exists() and json.loads(file.read_text()) == _hosts(site)


def _on(site: Site, host: str, command: str) -> str:
    return subprocess.run(site.ssh(host, command), capture_output=True, text=True, check=True).stdout


def _collecting(begun: str) -> str:
    """The command that writes a tar of all that came into being on a host since a time."""
    pruned = " -o ".join(f"-path {shlex.quote(path)}" for path in _OWN)
    beside = " ".join(f"test ! -e {path} || find {path} -xdev -maxdepth {depth} -print0;" for path, depth in _BESIDE)
    changed = f"find / -xdev \\( {pruned} \\) -prune -o \\( -type f -o -type l -o -type d \\) -newerct @{begun} -print0"
    return f"{{ {changed}; {beside} }} | tar --null --no-recursion --numeric-owner -T - -cf - 2>/dev/null"


def _write_objects(site: Site, payload: Path) -> None:
    """Notes which objects were applied and which units were started, in order."""
    run = past_runs(site.directory)[-1]
    identities = [entry for event in run.events for entry in event.result.get("objects", [])]
    ask = [str(kubectl()), "--kubeconfig", str(site.directory / "kubeconfig"), "get", "-o", "json"]
    objects = []
    for identity in identities:
        kind, *namespace, name = identity.split(" ")[0].split("/")
        where = [f"--namespace={namespace[0]}"] if namespace else []
        found = json.loads(subprocess.run([*ask, *where, kind, name], capture_output=True, check=True).stdout)
        found.pop("status", None)
        kept = ("name", "namespace", "labels")
        found["metadata"] = {key: value for key, value in found["metadata"].items() if key in kept}
        objects.append(found)
    (payload / "objects.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    units: dict[str, list[str]] = {}
    for event in run.events:
        units.setdefault(event.host, []).extend(event.result.get("restarted", []))
    control_plane = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    for host in site.hosts:
        rest = [unit for unit in units[host.name] if unit not in (*control_plane, "containerd")]
        (payload / f"{host.name}.units").write_text(" ".join(rest) + "\n")
