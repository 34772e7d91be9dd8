"""Packages of the distribution."""

from __future__ import annotations

import os
import shutil
import subprocess

POLICY = "/usr/sbin/policy-rc.d"


class PackageError(Exception):
    """The package manager refused; the text is its own."""


def _run(command, timeout=900):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=environment)
    if done.returncode != 0:
        raise PackageError("%s: %s" % (" ".join(command[:3]), (done.stderr or done.stdout).strip()[-600:]))
    return done.stdout


def absent(packages):
    """Those of the packages that are not installed.

    Raises:
        PackageError: the host has neither dpkg nor rpm.
    """
    if not packages:
        return []
    if shutil.which("dpkg-query"):
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *packages],
            capture_output=True,
            text=True,
            check=False,
        )
        present = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
        return [name for name in packages if name not in present]
    if shutil.which("rpm"):
        return [
            name
            for name in packages
            if subprocess.run(["rpm", "-q", "--whatprovides", name], capture_output=True, check=False).returncode
        ]
    raise PackageError("neither dpkg nor rpm: install %s by hand" % ", ".join(packages))


def install(packages):
    """Installs packages without starting their services.

    Raises:
        PackageError: the package manager refused, or there is none.
    """
    if shutil.which("apt-get"):
        with_policy = not os.path.exists(POLICY)
        if with_policy:
            with open(POLICY, "w") as stream:
                stream.write("#!/bin/sh\nexit 101\n")
            os.chmod(POLICY, 0o755)  # noqa: S103 (it is a program)
        command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "--yes", "--no-install-recommends", *packages]
        try:
            try:
                _run(command)
            except PackageError:
                # Lists are missing or old.
                _run(["apt-get", "-o", "DPkg::Lock::Timeout=300", "update"])
                _run(command)
        finally:
            if with_policy:
                os.unlink(POLICY)
        return
    for manager, arguments in (("dnf", ["install", "-y"]), ("zypper", ["--non-interactive", "install"])):
        if shutil.which(manager):
            _run([manager, *arguments, *packages])
            return
    raise PackageError("no package manager that is known here: install %s by hand" % ", ".join(packages))
