"""`vagrant up` ends with a cluster, `vagrant destroy` with nothing: libvirt, QEMU without hardware virtualisation."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from kubikk.cluster import load
from kubikk.operations.prepare import obtain_artifacts
from kubikk.paths import content_root
from kubikk.progress import Silent
from tests.cluster.support.runs import PROGRAMS
from tests.vm.support.image import KERNEL_OPTIONS, SIZE_GIB, Image, ensure_image
from tests.vm.support.patience import be_patient
from tests.vm.support.secluded import Secluded, secluded

pytestmark = [
    pytest.mark.vm,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(shutil.which("vagrant") is None, reason="needs vagrant and vagrant-libvirt"),
]

BOX = "kubikk-test"
# libvirt without systemd, without a security module, as root.
_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = []
namespaces = []
"""
# What makes the box boot without a boot loader, on an emulated processor. Project and provider know nothing of it.
_BOX_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.boot_timeout = 1200
  config.vm.provider :libvirt do |machine|
    machine.driver = "qemu"
    machine.cpu_mode = "maximum"
    machine.kernel = "{kernel}"
    machine.initrd = "{initrd}"
    machine.cmd_line = "{options}"
    machine.random :model => "random"
    machine.disk_driver :cache => "unsafe"
  end
end
"""


@dataclass(frozen=True)
class Project:
    """A copy of vagrant/ with a cluster file of one host.

    Attributes:
        corner: where Vagrant and libvirt run.
        directory: the copy.
        home: Vagrant's own directory.
    """

    corner: Secluded
    directory: Path
    home: Path

    def vagrant(self, *arguments: str, timeout: float = 300) -> str:
        """What vagrant prints."""
        environment = {
            "VAGRANT_HOME": str(self.home),
            "KUBIKK": str(PROGRAMS / "kubikk"),
            "KUBIKK_BOX": BOX,
            "VAGRANT_NO_COLOR": "1",
            "VAGRANT_DEFAULT_PROVIDER": "libvirt",
        }
        return self.corner.run("vagrant", *arguments, cwd=self.directory, environment=environment, timeout=timeout)


def _box(image: Image, directory: Path) -> Path:
    (directory / "metadata.json").write_text(
        json.dumps({"provider": "libvirt", "format": "qcow2", "virtual_size": SIZE_GIB})
    )
    text = _BOX_VAGRANTFILE.format(kernel=image.kernel, initrd=image.initrd, options=KERNEL_OPTIONS)
    (directory / "Vagrantfile").write_text(text)
    path = directory / "test.box"
    with tarfile.open(path, "w") as archive:
        for name in ("metadata.json", "Vagrantfile"):
            archive.add(directory / name, name)
        archive.add(image.disk, "box.img")
    return path


def _configuration(directory: Path) -> Path:
    """A copy of libvirt's configuration for what it defines, where this machine's own machines are not in."""
    own = directory / "libvirt"
    shutil.copytree("/etc/libvirt", own, ignore=shutil.ignore_patterns("*.xml"))
    (own / "qemu.conf").write_text(_QEMU_CONF)
    return own


def _start_libvirt(corner: Secluded, directory: Path) -> None:
    for daemon in ("virtlogd", "libvirtd"):
        corner.start(directory / f"{daemon}.log", f"/usr/sbin/{daemon}")
    end = time.monotonic() + 120
    while time.monotonic() < end:
        command = corner.command("virsh", "--connect", "qemu:///system", "version")
        if not subprocess.run(command, capture_output=True, check=False).returncode:
            return
        time.sleep(1)
    raise AssertionError((directory / "libvirtd.log").read_text(errors="replace")[-3000:])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    directory = tmp_path_factory.mktemp("vagrant")
    image = ensure_image()
    mounts = [f"mount --bind {_configuration(directory)} /etc/libvirt"]
    for number, place in enumerate(("/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt", "/run")):
        own = directory / f"libvirt{number}"
        own.mkdir()
        mounts += [f"mkdir -p {place}", f"mount --bind {own} {place}"]
    for below in ("images", "qemu", "dnsmasq", "network", "boot"):
        (directory / "libvirt0" / below).mkdir()
    copy = directory / "site"
    copy.mkdir()
    for name in ("Vagrantfile", "machines.yml"):
        shutil.copy(content_root() / "vagrant" / name, copy)
    content = yaml.safe_load((content_root() / "vagrant" / "cluster.yml").read_text())
    content["hosts"] = [{"name": "node1", "address": "192.168.56.11", "roles": ["control-plane", "worker"]}]
    content["artifacts"] = {"source": "auto"}
    (copy / "cluster.yml").write_text(yaml.safe_dump(content))
    # Nothing can be had from in there. The key is made by `vagrant up`.
    (directory / "cluster.yml").write_text(yaml.safe_dump({k: v for k, v in content.items() if k != "ssh"}))
    obtain_artifacts(load(directory / "cluster.yml"), Silent())
    with secluded(*mounts) as corner:
        project = Project(corner, copy, directory / "home")
        _start_libvirt(corner, directory)
        project.vagrant("box", "add", "--name", BOX, str(_box(image, directory)), timeout=600)
        yield project


def test_the_file_is_right(project: Project) -> None:
    assert "validated successfully" in project.vagrant("validate")


def test_up_ends_with_a_cluster(project: Project) -> None:
    inventory = project.directory / "inventory" / "vagrant"
    be_patient(inventory)
    output = project.vagrant("up", timeout=5000)
    assert "cluster vagrant is ready" in output, output[-4000:]
    assert (inventory / "kubeconfig").exists()
    key = project.directory / ".vagrant" / "kubikk" / "id_ed25519"
    assert key.stat().st_mode & 0o777 == 0o600


def test_status(project: Project) -> None:
    """It ends with 0 where every component is healthy, and every node Ready."""
    project.corner.run(str(PROGRAMS / "kubikk"), "status", "-f", str(project.directory / "cluster.yml"), timeout=600)


def test_destroy_leaves_nothing(project: Project) -> None:
    project.vagrant("destroy", "--force", timeout=600)
    assert not (project.directory / "inventory" / "vagrant").exists()
    assert not list((project.directory / ".vagrant" / "kubikk").iterdir())
    virsh = ("virsh", "--connect", "qemu:///system")
    assert project.corner.run(*virsh, "list", "--all", "--name").strip() == ""
    networks = project.corner.run(*virsh, "net-list", "--all", "--name").split()
    assert not [name for name in networks if name not in ("default", "vagrant-libvirt")]
