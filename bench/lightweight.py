"""What the control side pays for each host: many hosts that are nothing but further addresses of one lab host.

Only ``plan`` can be run on them (Ansible's check mode): they share one file system, and nothing is changed on it.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import yaml

from bench.meter import children_cpu, hosts_cpu
from bench.site import Site
from kubikk.ansible.events import Event
from kubikk.ansible.playbook import Call, run_playbook
from kubikk.ansible.summary import Summary
from kubikk.operations.prepare import prepare
from kubikk.operations.workspace import open_workspace
from kubikk.progress import Silent

_CONTROL_PLANES = 3


@dataclass(frozen=True)
class PerHost:
    """What a plan for many bare hosts costs.

    Attributes:
        hosts: how many.
        seconds: altogether.
        control_cpu: processor seconds of Ansible and of ssh.
        host_cpu: processor seconds of the host that stands for all.
        executions: of modules.
        failed: hosts that dropped out.
    """

    hosts: int
    seconds: float
    control_cpu: float
    host_cpu: float
    executions: int
    failed: int

    def __str__(self) -> str:
        each = self.hosts
        return (
            f"{each} hosts: {self.seconds:.1f} s, {self.executions / each:.1f} executions a host; CPU seconds a host:"
            f" control side {self.control_cpu / each:.2f}, hosts {self.host_cpu / each:.2f}; {self.failed} hosts failed"
        )


def plan_many(site: Site, hosts: int) -> PerHost:
    """Plans a cluster of bare hosts.

    Args:
        site: one host of it is made anew and stands for all.
        hosts: how many, at most 200.

    Raises:
        KubikkError: the lab's host does not come up.
    """
    site.fresh(1, 0)
    addresses = _addresses(site, hosts)
    file = _cluster_file(site, addresses)
    workspace = open_workspace(file)
    prepare(workspace, Silent())
    run = file.parent / "run"
    run.mkdir(exist_ok=True)
    summary = Summary()

    def follow(event: Event) -> None:
        summary.add(event)

    begun, control, theirs = time.monotonic(), children_cpu(site), hosts_cpu(site)
    run_playbook(Call("cluster.yml", workspace.directory, run, check=True), follow)
    return PerHost(
        hosts=hosts,
        seconds=time.monotonic() - begun,
        control_cpu=children_cpu(site) - control,
        host_cpu=hosts_cpu(site) - theirs,
        executions=sum(host.executions for host in summary.hosts.values()),
        failed=len(summary.failed),
    )


def _addresses(site: Site, count: int) -> list[str]:
    """Gives the host further addresses, at which its sshd takes that many connections at once."""
    host = site.hosts[0]
    network = IPv4Network(f"{host.address}/24", strict=False)
    taken = {network[1], IPv4Address(host.address)}
    addresses = [str(address) for address in network.hosts() if address not in taken][:count]
    commands = [f"ip address add {address}/24 dev host0" for address in addresses]
    commands += ["echo MaxStartups 500 >/etc/ssh/sshd_config.d/bench.conf", "systemctl restart ssh"]
    subprocess.run(site.ssh(host.name, " && ".join(commands)), check=True, stdin=subprocess.DEVNULL)
    return addresses


def _cluster_file(site: Site, addresses: list[str]) -> Path:
    directory = site.root / "inventory" / "lightweight"
    directory.mkdir(parents=True, exist_ok=True)
    key = site.lab.known_hosts.read_text().split(" ", 1)[1].strip().splitlines()[0]
    known_hosts = directory / "known_hosts"
    known_hosts.write_text("".join(f"{address} {key}\n" for address in addresses))
    hosts = [
        {"name": f"h{number}", "address": address, "roles": [role]}
        for number, address in enumerate(addresses)
        for role in ["control-plane" if number < _CONTROL_PLANES else "worker"]
    ]
    ssh = {"user": "root", "key": str(site.lab.key), "known_hosts": str(known_hosts)}
    content = {"name": "lightweight", "ssh": ssh, "artifacts": {"source": "auto"}, "hosts": hosts}
    file = directory / "cluster.yml"
    file.write_text(yaml.safe_dump(content))
    return file
