"""A corner of this machine with its own network, mounts and processes: what a test starts in it ends with it.

Programs such as libvirt leave bridges, chains of iptables and daemons behind; here they are in namespaces that go away.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_FIRST_PROCESS = """
set -eu
mount --make-rprivate /
umount --lazy /sys
mount -t sysfs sysfs /sys
ip link set lo up
{more}
echo ready
# bash takes leave of orphans, as a first process has to: libvirt waits until its machines are no more.
while read -r _; do :; done
"""


class Secluded:
    """Runs programs in there.

    Args:
        first: process id of its first process, as seen from outside.
    """

    def __init__(self, first: int) -> None:
        self._enter = ["nsenter", "--target", str(first), "--mount", "--net", "--pid", "--"]

    def command(self, *argv: str) -> list[str]:
        """The command line that runs a program in there."""
        return [*self._enter, *argv]

    def run(
        self, *argv: str, timeout: float = 60, cwd: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> str:
        """What a program prints.

        Raises:
            AssertionError: it fails.
        """
        # nsenter leaves the working directory behind.
        chdir = ("env", f"--chdir={cwd}") if cwd else ()
        done = subprocess.run(
            self.command(*chdir, *argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout[-8000:]}"
        return done.stdout

    def start(self, log: Path, *argv: str) -> subprocess.Popen[bytes]:
        """Starts a program that goes on."""
        with log.open("wb") as stream:
            return subprocess.Popen(
                self.command(*argv), stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
            )


@contextmanager
def secluded(*more: str) -> Iterator[Secluded]:
    """Makes the corner, and removes it with everything that runs in it.

    Args:
        more: shell commands that its first process runs at the beginning, such as mounts.
    """
    script = _FIRST_PROCESS.format(more="\n".join(more))
    unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    argv: Sequence[str] = ["setpriv", "--pdeathsig", "KILL", *unshare, "bash", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as outer:
        try:
            assert outer.stdout is not None
            assert outer.stdout.readline() == "ready\n"
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
            yield Secluded(int(children[0]))
        finally:
            # Its first process is killed with unshare, and with that one everything else.
            outer.kill()
    _wait_until_gone(children)


def _wait_until_gone(processes: Sequence[str], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while any(Path("/proc", process).exists() for process in processes) and time.monotonic() < end:
        time.sleep(0.1)
