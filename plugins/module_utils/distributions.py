"""What differs between distributions, as data: the names of packages.

The names of services (haproxy, keepalived, docker, containerd) and the paths that are written to (/etc/systemd/system,
/etc/modules-load.d, /etc/sysctl.d) are the same in all of them, so they are not in the table.

Sources: packages.debian.org, packages.ubuntu.com, the repositories BaseOS and AppStream of the RHEL family,
packages.fedoraproject.org, software.opensuse.org.
"""

from __future__ import annotations

import platform
import re

OS_RELEASE = "/etc/os-release"

COMMON = {"container-selinux": "", "docker": "docker", "kernel-modules": ""}
"""For distributions that no row is for. A name that is in no table is a package's own name; "" is none at all."""

TABLE = (
    {
        "family": "debian",
        "ids": ("debian", "ubuntu"),
        "packages": {"docker": "docker-ce | docker.io"},
    },
    {
        "family": "redhat",
        "ids": ("rhel", "fedora"),
        # Minimal installations have curl-minimal, which curl conflicts with.
        "packages": {
            "container-selinux": "container-selinux",
            "curl": "curl-minimal | curl",
            "docker": "docker-ce | moby-engine",
            "iptables": "iptables-nft",
        },
    },
    {
        "family": "redhat",
        "ids": ("rhel", "ol"),
        "from": 10,
        # br_netfilter, nft_compat and the xt_ modules that iptables' rules need have left the kernel's own package, and
        # images of virtual machines come without this one: https://github.com/kubernetes/kops/pull/18724.
        "packages": {"kernel-modules": "kernel-modules-extra-{kernel}"},
    },
    {
        "family": "suse",
        "ids": ("suse", "opensuse"),
        "packages": {"docker": "docker-ce | docker"},
    },
)
"""Rows by the names in /etc/os-release (ID and ID_LIKE); all that fit count, later ones over earlier ones.

``from`` is the first major release that a row is for; ``{kernel}`` is the running kernel's release; ``a | b`` means
that either will do.
"""


def os_release(text):
    """The distribution: {id, version, family}, from the text of /etc/os-release."""
    values = _values(text)
    return {
        "id": values.get("ID", ""),
        "version": values.get("VERSION_ID", ""),
        "family": next((row["family"] for row in _rows(values)), "other"),
    }


def packages(names, text, kernel):
    """What a distribution calls packages.

    Args:
        names: as roles call them.
        text: of /etc/os-release.
        kernel: release of the running kernel.
    """
    table = dict(COMMON)
    for row in _rows(_values(text)):
        table.update(row["packages"])
    return [found for found in (table.get(name, name).format(kernel=kernel) for name in names) if found]


def packages_here(names):
    """What this host's distribution calls packages."""
    with open(OS_RELEASE) as stream:
        return packages(names, stream.read(), platform.release())


def _values(text):
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key: value.strip().strip("\"'") for key, value in values.items()}


def _rows(values):
    names = {values.get("ID", ""), *values.get("ID_LIKE", "").split()}
    major = int(re.match(r"\d*", values.get("VERSION_ID", "")).group() or 0)
    return [row for row in TABLE if names.intersection(row["ids"]) and major >= row.get("from", 0)]
