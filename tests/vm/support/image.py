"""The disk image that test machines start from: the lab's base tree with a kernel, as one ext4 file system.

It is booted with its kernel given to QEMU, so there is no boot loader and no partition. It is built once and kept in
the user's cache; its name follows from everything it is made of.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from kubikk.lab.base import ensure_base
from kubikk.lab.commands import run
from kubikk.lab.host_files import machine_facts
from kubikk.lab.keys import ensure_key
from kubikk.paths import cache_dir
from kubikk.progress import Silent

KERNEL_OPTIONS = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off quiet"
SIZE_GIB = 8

# The public half of the key that Vagrant expects in every box; it puts one of its own in its place.
_VAGRANT_KEYS = sorted(
    path
    for gems in ("/usr/share/rubygems-integration/all/gems", "/opt/vagrant/embedded/gems")
    for path in Path(gems).glob("**/vagrant-*/keys/vagrant.pub")
)

_FILES = {
    "etc/hostname": "machine\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 machine\n",
    "etc/fstab": "/dev/vda / ext4 defaults,noatime 0 1\n",
    "etc/machine-id": "",
    # After what the kernel's option ip= makes: 90-eth0.network, 70-eth0.network with a newer systemd.
    "etc/systemd/network/99-dhcp.network": "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n",
    "etc/systemd/system/host-keys.service": (
        "[Unit]\nBefore=ssh.service\n\n[Service]\nType=oneshot\n"
        # The only kind that the lab's sshd is told of; an emulated processor needs minutes for RSA.
        "ExecStart=/bin/sh -c 'test -s /etc/ssh/ssh_host_ed25519_key"
        ' || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key\'\n\n'
        "[Install]\nWantedBy=multi-user.target\n"
    ),
    "etc/sudoers.d/vagrant": "vagrant ALL=(ALL) NOPASSWD: ALL\n",
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
}
_LINKS = {
    "etc/systemd/system/multi-user.target.wants/host-keys.service": "/etc/systemd/system/host-keys.service",
    "etc/systemd/system/sysinit.target.wants/systemd-network-generator.service": (
        "/lib/systemd/system/systemd-network-generator.service"
    ),
}
# The lab's, for containers: a machine has an interface eth0, and nothing to prepare.
_ABSENT = (
    "etc/systemd/system/systemd-networkd-wait-online.service.d/kubikk-lab.conf",
    "etc/systemd/system/basic.target.wants/kubikk-lab-prepare.service",
    "etc/systemd/system/ssh.service.d/kubikk-lab.conf",
)

# In a mount namespace of its own, so that nothing stays mounted whatever happens. $1: base tree, $2: work directory.
_BUILD = """
set -eu
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay image -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cp -a "$2/files/." "$2/root/"
cd "$2/root"
rm -f ABSENT
mount -t proc proc proc
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot . apt-get update -q
chroot . apt-get install -qy --no-install-recommends linux-image-cloud-amd64 initramfs-tools
chroot . useradd --create-home --shell /bin/bash vagrant || true
chroot . chown -R vagrant: /home/vagrant
umount proc
rm -rf usr/sbin/policy-rc.d var/cache/apt/*.bin var/cache/apt/archives/*.deb var/lib/apt/lists/*
cp boot/vmlinuz-* "$2/vmlinuz"
cp boot/initrd.img-* "$2/initrd"
mke2fs -q -t ext4 -E lazy_itable_init=1 -d . "$2/image.raw" SIZEG
qemu-img convert -O qcow2 "$2/image.raw" "$2/image.qcow2"
"""


@dataclass(frozen=True)
class Image:
    """A finished image.

    Attributes:
        directory: holds it.
    """

    directory: Path

    @property
    def disk(self) -> Path:
        """A qcow2 file; machines get overlays of it."""
        return self.directory / "image.qcow2"

    @property
    def kernel(self) -> Path:
        """Its kernel."""
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The kernel's initial file system."""
        return self.directory / "initrd"

    @property
    def key(self) -> Path:
        """Private SSH key that logs in as root."""
        return self.directory / "id_ed25519"


def ensure_image() -> Image:
    """Builds the image unless it is in the cache.

    Raises:
        AssertionError: a step failed; its output is in the message.
    """
    base = ensure_base(Silent())
    parts = [base.name, inspect.getsource(sys.modules[__name__]), *map(str, _VAGRANT_KEYS)]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
    target = cache_dir() / "vm" / f"image-{key}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / "image.lock"):
        if not target.is_dir():
            for other in target.parent.glob("image-*"):
                if other.is_dir():
                    shutil.rmtree(other)
            _build(base, target)
    return Image(target)


def _build(base: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as name:
        work = Path(name)
        public = ensure_key(work / "id_ed25519")
        _write_files(work / "files", public)
        script = _BUILD.replace("ABSENT", " ".join(_ABSENT)).replace("SIZE", str(SIZE_GIB))
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", str(base), name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        target.mkdir()
        for file in ("vmlinuz", "initrd", "id_ed25519", "image.qcow2"):
            (work / file).rename(target / file)


def _write_files(root: Path, public: str) -> None:
    facts = machine_facts(1500)
    files: dict[str, str | bytes] = {
        **_FILES,
        "etc/resolv.conf": facts.resolv_conf,
        "etc/apt/sources.list.d/debian.sources": facts.apt_sources,
        "etc/apt/apt.conf.d/90machine": facts.apt_settings,
        "root/.ssh/authorized_keys": f"{public}\n",
        **{path.lstrip("/"): content for path, content in facts.keyrings.items()},
    }
    if facts.certificates:
        files["etc/ssl/certs/ca-certificates.crt"] = facts.certificates
    if _VAGRANT_KEYS:
        files["home/vagrant/.ssh/authorized_keys"] = _VAGRANT_KEYS[-1].read_text()
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o600 if file.name == "authorized_keys" else 0o755 if file.name == "policy-rc.d" else 0o644)
    for directory in (root / "root", root / "root/.ssh", root / "home/vagrant/.ssh"):
        if directory.is_dir():
            directory.chmod(0o700)
    for path, link in _LINKS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(link)


def overlay(image: Image, path: Path) -> Path:
    """A machine's disk: what it writes goes to ``path``, the image stays as it is."""
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "qcow2", str(path)])
    path.chmod(0o600)
    return path
