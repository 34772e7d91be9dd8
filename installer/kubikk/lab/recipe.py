"""What the hosts' common base tree consists of. Everything here counts in its key, so a change makes a new tree."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

RELEASE = "bookworm"
"""What hosts run unless another one is asked for: systemd 252, which boots on any machine."""

RELEASES = (RELEASE, "trixie")
"""Debian 12 and 13. systemd 257, Debian 13's, is the last that boots where the machine has cgroup v1."""

_PREPARE = """\
#!/bin/sh
# What a container lacks compared to a server; runs before sshd answers.
set -eu
[ -e /dev/kmsg ] || mknod -m 0600 /dev/kmsg c 1 11   # kubelet reads it
mount --make-rshared /                               # mount propagation of volumes
# cgroup v1: systemd-nspawn mounts the controllers read-only; a plain remount is refused (busy), a bind remount is not
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -o remount,rw,bind /sys/fs/cgroup
    for controller in /sys/fs/cgroup/*/; do
        if mountpoint -q "$controller"; then
            mount -o remount,rw,bind "$controller"
        fi
    done
fi
"""

_PREPARE_UNIT = """\
[Unit]
Description=Prepare this lab host
DefaultDependencies=no
After=local-fs.target
Before=basic.target ssh.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/kubikk-lab/prepare

[Install]
WantedBy=basic.target
"""

_NEEDED_BY_SSH = """\
[Unit]
Requires=kubikk-lab-prepare.service
After=kubikk-lab-prepare.service
"""

_WAIT_ONLINE = """\
[Service]
ExecStart=
ExecStart=/lib/systemd/systemd-networkd-wait-online --interface=host0 --timeout=30
"""

_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
"""

_JOURNALD = """\
[Journal]
SystemMaxUse=200M
"""

_UNITS = "/etc/systemd/system"
_LIB = "/lib/systemd/system"


@dataclass(frozen=True)
class Recipe:
    """A base tree, as data.

    Attributes:
        architecture: Debian's name, for example ``amd64``.
        release: Debian's code name.
        packages: installed beside debootstrap's ``minbase``.
        files: content of each file added; those below a ``kubikk-lab`` directory are executable.
        links: target of each symlink added.
        absent: paths removed; the last part may be a pattern.
    """

    architecture: str
    release: str = RELEASE
    packages: tuple[str, ...] = (
        "ca-certificates",
        "conntrack",
        "curl",
        "dbus",
        "ethtool",
        "haproxy",
        "ipset",
        "iproute2",
        "iptables",
        "keepalived",
        "kmod",
        "nftables",
        "openssh-server",
        "procps",
        "python3",
        "socat",
        "sudo",
        "systemd",
        "systemd-sysv",
        "udev",
    )
    files: dict[str, str] = field(
        default_factory=lambda: {
            "/usr/local/lib/kubikk-lab/prepare": _PREPARE,
            f"{_UNITS}/kubikk-lab-prepare.service": _PREPARE_UNIT,
            f"{_UNITS}/ssh.service.d/kubikk-lab.conf": _NEEDED_BY_SSH,
            f"{_UNITS}/systemd-networkd-wait-online.service.d/kubikk-lab.conf": _WAIT_ONLINE,
            "/etc/ssh/sshd_config.d/kubikk-lab.conf": _SSHD,
            "/etc/systemd/journald.conf.d/kubikk-lab.conf": _JOURNALD,
            "/etc/machine-id": "",
            "/etc/default/locale": "LANG=C.UTF-8\n",
        }
    )
    links: dict[str, str] = field(
        default_factory=lambda: {
            f"{_UNITS}/basic.target.wants/kubikk-lab-prepare.service": f"{_UNITS}/kubikk-lab-prepare.service",
            f"{_UNITS}/multi-user.target.wants/systemd-networkd.service": f"{_LIB}/systemd-networkd.service",
            f"{_UNITS}/network-online.target.wants/systemd-networkd-wait-online.service": (
                f"{_LIB}/systemd-networkd-wait-online.service"
            ),
            # The machine's own: a host has neither its block devices nor its time of night.
            **{
                f"{_UNITS}/{unit}": "/dev/null"
                for unit in ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer")
            },
        }
    )
    absent: tuple[str, ...] = (
        "/etc/ssh/ssh_host_*",  # each host gets its own
        f"{_UNITS}/multi-user.target.wants/haproxy.service",
        f"{_UNITS}/multi-user.target.wants/keepalived.service",
        "/var/lib/dbus/machine-id",
        "/var/cache/apt/archives/*.deb",
        "/var/lib/apt/lists/*Packages",
        "/etc/apt/sources.list",
    )

    def key(self) -> str:
        """Names the tree: 12 hexadecimal digits that change with anything in the recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]
