"""The programs the lab needs on this machine, installed where they are missing."""

from __future__ import annotations

import os
import shutil
import time

from kubikk.errors import KubikkError
from kubikk.lab.commands import environment, run
from kubikk.lab.sources import DEBIAN_KEYRING
from kubikk.progress import Progress

# program -> Debian package
_PROGRAMS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh": "openssh-client",
    "mount": "mount",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
_LOCK_PATIENCE = 300.0  # seconds


def missing_packages() -> list[str]:
    """Debian packages this machine lacks."""
    path = environment()["PATH"]
    missing = {package for program, package in _PROGRAMS.items() if shutil.which(program, path=path) is None}
    if not DEBIAN_KEYRING.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def ensure_programs(progress: Progress) -> None:
    """Installs what is missing.

    Raises:
        KubikkError: something is missing and this is not root on a machine with apt-get, or apt-get fails.
    """
    packages = missing_packages()
    if not packages:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise KubikkError(
            f"This machine lacks {', '.join(packages)}", remedy="Install these packages (names as in Debian)."
        )
    name = "lab: packages of this machine"
    progress.start(name)
    lock = f"DPkg::Lock::Timeout={_LOCK_PATIENCE:.0f}"
    install = ["apt-get", "-o", lock, "-qy", "--no-install-recommends", "install"]
    try:
        _apt(install + packages)
    except KubikkError:  # the package lists are missing or old
        _apt(["apt-get", "-q", "update"])
        _apt(install + packages)
    progress.finish(name, ", ".join(packages))


def _apt(argv: list[str]) -> None:
    """Runs apt-get; waits while another one holds a lock, also that of the package lists, which apt-get does not."""
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            run(argv, extra_env={"DEBIAN_FRONTEND": "noninteractive"})
            return
        except KubikkError as error:
            if "Could not get lock" not in (error.cause or "") or time.monotonic() > deadline:
                raise
        time.sleep(2)
