"""System users."""

from __future__ import annotations

import pwd
import subprocess


def ensure_user(user, act):
    """Creates a system user with a group of the same name; returns whether that was needed.

    Raises:
        OSError: useradd refused.
    """
    try:
        pwd.getpwnam(user["name"])
        return False
    except KeyError:
        pass
    if act:
        done = subprocess.run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                user["home"],
                "--shell",
                "/usr/sbin/nologin",
                user["name"],
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise OSError("useradd %s: %s" % (user["name"], done.stderr.strip()))
    return True
