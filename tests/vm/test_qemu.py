"""A cluster on a machine with a kernel of its own: cgroup v2, and systemd as the cgroup driver."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from kubikk.cluster import load
from kubikk.operations.prepare import obtain_artifacts
from kubikk.progress import Silent
from tests.cluster.support.runs import PROGRAMS
from tests.vm.support.image import KERNEL_OPTIONS, ensure_image, overlay
from tests.vm.support.patience import be_patient
from tests.vm.support.secluded import Secluded, secluded

pytestmark = [pytest.mark.vm, pytest.mark.timeout(5400)]

GATEWAY, ADDRESS = "192.168.57.1", "192.168.57.11"
_BOOT_SECONDS = 600.0
_NETWORK = (
    "ip link add bridge0 type bridge",
    f"ip address add {GATEWAY}/24 dev bridge0",
    "ip link set bridge0 up",
    "ip tuntap add tap0 mode tap",
    "ip link set tap0 master bridge0 up",
)


@dataclass(frozen=True)
class Machine:
    """A virtual machine.

    Attributes:
        corner: where it runs, and is reached from.
        key: private SSH key of root.
        known_hosts: its host keys.
        directory: for what belongs to it.
    """

    corner: Secluded
    key: Path
    known_hosts: Path
    directory: Path

    def run(self, command: str, timeout: float = 120) -> str:
        """What a command prints there."""
        options = [f"UserKnownHostsFile={self.known_hosts}", "IdentitiesOnly=yes", "BatchMode=yes"]
        flags = [flag for option in options for flag in ("-o", option)]
        return self.corner.run("ssh", "-i", str(self.key), *flags, f"root@{ADDRESS}", command, timeout=timeout)


def _scan(corner: Secluded, console: Path, qemu: subprocess.Popen[bytes]) -> str:
    """The machine's host keys, as soon as its SSH server answers."""
    end = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < end:
        command = corner.command("ssh-keyscan", "-T", "10", "-t", "ed25519", ADDRESS)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "ssh-ed25519" in done.stdout:
            return done.stdout
        if qemu.poll() is not None:
            break
        time.sleep(2)
    raise AssertionError(f"no SSH server: {console.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    directory = tmp_path_factory.mktemp("machine")
    image = ensure_image()
    disk = overlay(image, directory / "disk.qcow2")
    console = directory / "console.log"
    network = f"ip={ADDRESS}::{GATEWAY}:255.255.255.0:node1:eth0:off"
    with secluded(*_NETWORK) as corner:
        qemu = corner.start(
            console,
            "qemu-system-x86_64",
            *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3072"),
            *("-nodefaults", "-display", "none", "-serial", "stdio"),
            *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", f"{KERNEL_OPTIONS} {network}"),
            *("-drive", f"file={disk},if=virtio,cache=unsafe,discard=unmap"),
            *("-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no"),
            *("-device", "virtio-net-pci,netdev=net0", "-device", "virtio-rng-pci"),
        )
        known_hosts = directory / "known_hosts"
        known_hosts.write_text(_scan(corner, console, qemu))
        yield Machine(corner, image.key, known_hosts, directory)
        qemu.kill()


@pytest.fixture(scope="module")
def site(machine: Machine) -> Path:
    """A cluster file for the machine, and the cluster on it; the directory ``inventory/vm``."""
    directory = machine.directory / "inventory" / "vm"
    be_patient(directory)
    host = {"name": "node1", "address": ADDRESS, "roles": ["control-plane", "worker"]}
    content = {
        "name": "vm",
        "ssh": {"user": "root", "key": str(machine.key), "known_hosts": str(machine.known_hosts)},
        "hosts": [host],
        "artifacts": {"source": "auto"},
    }
    (directory / "cluster.yml").write_text(yaml.safe_dump(content))
    # Nothing can be had from in there.
    obtain_artifacts(load(directory / "cluster.yml"), Silent())
    kubikk = (str(PROGRAMS / "kubikk"), "up", "-f", str(directory / "cluster.yml"))
    print(machine.corner.run(*kubikk, timeout=4800))
    return directory


def test_the_machine_is_not_a_container(machine: Machine) -> None:
    assert machine.run("systemd-detect-virt --container || true").strip() == "none"
    assert machine.run("stat --file-system --format=%T /sys/fs/cgroup").strip() == "cgroup2fs"


def test_the_node_is_ready(machine: Machine, site: Path) -> None:
    kubectl = "kubectl --kubeconfig /root/kubeconfig"
    machine.run(f"cat > /root/kubeconfig <<'EOF'\n{(site / 'kubeconfig').read_text()}\nEOF")
    jsonpath = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    assert machine.run(f"{kubectl} get nodes -o jsonpath='{jsonpath}'").strip() == "True"


def test_systemd_manages_the_pods_cgroups(machine: Machine, site: Path) -> None:
    """Pods are slices and scopes below kubepods.slice, which the cgroupfs driver would not make."""
    config = machine.run("grep -h cgroupDriver /etc/kubernetes/kubelet/*.yaml")
    assert "systemd" in config
    pods = machine.run("find /sys/fs/cgroup/kubepods.slice -name 'cri-containerd-*.scope'").split()
    assert pods, "no pod runs in a scope of its own"


def test_again_changes_nothing(machine: Machine, site: Path) -> None:
    kubikk = (str(PROGRAMS / "kubikk"), "plan", "-f", str(site / "cluster.yml"))
    machine.corner.run(*kubikk, timeout=1200)
