"""Packages of the distribution."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess

POLICY = "/usr/sbin/policy-rc.d"
APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]


class PackageError(Exception):
    """The package manager refused; the text is its own."""

    kind = "package"


def _run(command, timeout=900):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=environment)
    if done.returncode != 0:
        raise PackageError("%s: %s" % (" ".join(command[:3]), (done.stderr or done.stdout).strip()[-600:]))
    return done.stdout


def alternatives(package):
    """The packages that satisfy an entry, the preferred one first: ``a | b``."""
    return [name.strip() for name in package.split("|")]


def _installed(names):
    if shutil.which("dpkg-query"):
        done = subprocess.run(
            ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names],
            capture_output=True,
            text=True,
            check=False,
        )
        return {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    if shutil.which("rpm"):
        return {
            name
            for name in names
            if any(
                not subprocess.run(["rpm", "-q", *how, name], capture_output=True, check=False).returncode
                for how in ([], ["--whatprovides"])
            )
        }
    raise PackageError("neither dpkg nor rpm: install %s by hand" % ", ".join(names))


def absent(packages):
    """Those of the packages that are not installed, by any of their alternatives.

    Raises:
        PackageError: the host has neither dpkg nor rpm.
    """
    if not packages:
        return []
    present = _installed([name for package in packages for name in alternatives(package)])
    return [package for package in packages if present.isdisjoint(alternatives(package))]


def choose(package, known):
    """The alternative to install: the first that ``known(name)`` the repositories have, else the last.

    The last one is the distribution's own, whose absence the package manager explains best.
    """
    *preferred, last = alternatives(package)
    return next((name for name in preferred if known(name)), last)


def _apt_knows(name):
    return bool(_run(["apt-cache", "madison", name]).strip())


MANAGERS = (
    ("dnf", ["--assumeyes", "--setopt=install_weak_deps=False", "install"], ["--quiet", "list", "--available"]),
    ("zypper", ["--non-interactive", "install", "--no-recommends"], ["--quiet", "search", "--match-exact"]),
)
"""Beside apt-get: program, how it installs, and how it tells by its exit status whether repositories have a package."""


def _knows(manager, question, name):
    return not subprocess.run([manager, *question, name], capture_output=True, check=False).returncode


def _apt_install(packages):
    def attempt():
        _run([*APT, "install", "--yes", "--no-install-recommends", *[choose(name, _apt_knows) for name in packages]])

    try:
        attempt()
    except PackageError:
        # Lists are missing or old.
        _run([*APT, "update"])
        attempt()


@contextlib.contextmanager
def _variables(environment):
    """Sets variables for programs that are started meanwhile, in the spellings that either kind of program reads."""
    before = dict(os.environ)
    os.environ.update(environment)
    os.environ.update({name.lower(): value for name, value in environment.items()})
    try:
        yield
    finally:
        # This process itself asks components of the host how they are: not by a proxy.
        os.environ.clear()
        os.environ.update(before)


def install(packages, environment):
    """Installs packages without starting their services.

    Args:
        packages: names, each maybe with alternatives.
        environment: variables for the package manager, such as HTTPS_PROXY.

    Raises:
        PackageError: the package manager refused, or there is none.
    """
    with _variables(environment):
        _install(packages)


def _install(packages):
    if shutil.which("apt-get"):
        with_policy = not os.path.exists(POLICY)
        if with_policy:
            with open(POLICY, "w") as stream:
                stream.write("#!/bin/sh\nexit 101\n")
            os.chmod(POLICY, 0o755)  # noqa: S103 (it is a program)
        try:
            _apt_install(packages)
        finally:
            if with_policy:
                os.unlink(POLICY)
        return
    for manager, arguments, question in MANAGERS:
        if shutil.which(manager):
            known = functools.partial(_knows, manager, question)
            _run([manager, *arguments, *[choose(name, known) for name in packages]])
            return
    raise PackageError("no package manager that is known here: install %s by hand" % ", ".join(packages))
