"""SELinux: labels of programs that were sent, and booleans of the distribution's policy.

A file that is renamed keeps the label of where it was written. What systemd starts has to be labelled as a program, or
it runs in systemd's own domain, which may do next to nothing.
"""

from __future__ import annotations

import os
import subprocess

ROOT = "/sys/fs/selinux"
PROGRAM, DATA = "bin_t", "usr_t"


def enabled(root=ROOT):
    """Whether the kernel enforces or watches a policy."""
    return os.path.exists(os.path.join(root, "enforce"))


def label(path, kind, root=ROOT):
    """Labels a file; does nothing without SELinux.

    Args:
        path: the file.
        kind: its type, for example bin_t.
        root: where the kernel shows SELinux.
    """
    if enabled(root):
        os.setxattr(path, "security.selinux", ("system_u:object_r:%s:s0" % kind).encode() + b"\0")


def turn_on(booleans, act, root=ROOT):
    """Turns booleans on that the policy has and that are off, also for the next boot; returns those.

    Raises:
        OSError: setsebool refused.
    """
    off = []
    for name in booleans if enabled(root) else []:
        try:
            with open(os.path.join(root, "booleans", name)) as stream:
                if stream.read().split()[0] == "0":
                    off.append(name)
        except FileNotFoundError:
            continue
    for name in off if act else []:
        done = subprocess.run(["setsebool", "-P", name, "on"], capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise OSError("setsebool %s: %s" % (name, done.stderr.strip()))
    return off
