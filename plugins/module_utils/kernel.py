"""Kernel modules and sysctls."""

from __future__ import annotations

import os
import subprocess

MODULES_FILE = "/etc/modules-load.d/kubikk.conf"
SYSCTL_FILE = "/etc/sysctl.d/99-kubikk.conf"
# Where a feature shows that is built in, or was loaded by the machine around a container.
EVIDENCE = {
    "br_netfilter": "/proc/sys/net/bridge",
    "nf_conntrack": "/proc/sys/net/netfilter/nf_conntrack_max",
}


def text_of_modules(modules):
    """The content of the file that loads modules at boot."""
    return "".join(name + "\n" for name in modules)


def text_of_sysctls(sysctls):
    """The content of the file that sets sysctls at boot."""
    return "".join("%s = %s\n" % item for item in sorted(sysctls.items()))


def module_present(name):
    """Whether a module is loaded or its feature is built into the kernel."""
    if os.path.isdir("/sys/module/" + name.replace("-", "_")) or os.path.exists(EVIDENCE.get(name, "/nonexistent")):
        return True
    with open("/proc/filesystems") as stream:
        if any(line.split()[-1] == name for line in stream):
            return True
    try:
        with open("/lib/modules/%s/modules.builtin" % os.uname().release) as stream:
            return any(line.strip().endswith("/%s.ko" % name) for line in stream)
    except FileNotFoundError:
        return False


def load_modules(modules, act):
    """Loads modules that are not there; returns (loaded, warnings)."""
    loaded, warnings = [], []
    for name in modules:
        if module_present(name):
            continue
        command = ["modprobe", name] if act else ["modprobe", "--dry-run", name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            failed = done.stderr.strip() if done.returncode else ""
        except FileNotFoundError:
            failed = "there is no modprobe"
        if failed and os.path.isdir("/lib/modules/" + os.uname().release):
            warnings.append("kernel module %s: %s" % (name, failed))
        elif not failed:
            loaded.append(name)
    return loaded, warnings


def _path(key):
    return "/proc/sys/" + key.replace(".", "/")


# Limits that others may have set higher; hosts that are containers share them.
RAISED_ONLY = "fs.inotify."


def apply_sysctls(sysctls, act):
    """Sets sysctls whose value differs; returns (set, warnings)."""
    changed, warnings = [], []
    for key, value in sorted(sysctls.items()):
        try:
            with open(_path(key)) as stream:
                current = " ".join(stream.read().split())
        except OSError:
            warnings.append("sysctl %s: this kernel does not have it" % key)
            continue
        if current == str(value) or (key.startswith(RAISED_ONLY) and int(current) >= int(value)):
            continue
        if act:
            try:
                with open(_path(key), "w") as stream:
                    stream.write(str(value))
            except OSError as error:
                warnings.append("sysctl %s stays %s: %s" % (key, current, error.strerror))
                continue
        changed.append("%s = %s" % (key, value))
    return changed, warnings
