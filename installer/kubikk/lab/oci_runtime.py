#!/usr/bin/python3 -IS
"""Runs on lab hosts in front of runc: takes out of a container what this machine cannot give, then becomes runc.

Without CAP_SYS_RESOURCE nobody may lower an oom_score_adj or hand that capability on, and the hugetlb controller may be
missing. containerd has a setting for the first; CRI-O and Docker have none, so their runtime's path leads here. What is
changed are the files that runc reads (OCI runtime specification, config.json).
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

CAPABILITY = "CAP_SYS_RESOURCE"
NUMBER = 24  # linux/capability.h
PROGRAMS = ("/usr/local/bin/runc", "/usr/bin/runc", "/usr/sbin/runc")


def may_raise_limits(status: str) -> bool:
    """Whether the machine lets its processes have the capability; from the text of /proc/self/status."""
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding, 16) >> NUMBER & 1)


def restrict_process(process: dict[str, Any]) -> None:
    """Takes the capability out of a process, and what needs it."""
    process["oomScoreAdj"] = max(process.get("oomScoreAdj") or 0, 0)
    for name, held in (process.get("capabilities") or {}).items():
        process["capabilities"][name] = [each for each in held if each != CAPABILITY]


def restrict(command: str, content: dict[str, Any], *, capability: bool, hugetlb: bool) -> None:
    """Takes out what the machine cannot give.

    Args:
        command: of runc: create and run read a container's configuration, exec that of one process.
        content: what is read; changed in place.
        capability: whether the machine has the capability.
        hugetlb: whether it has the cgroup controller.
    """
    if not capability:
        restrict_process(content if command == "exec" else content["process"])
    if not hugetlb and command != "exec":
        content.get("linux", {}).get("resources", {}).pop("hugepageLimits", None)


def file_to_read(arguments: list[str]) -> tuple[str, Path | None]:
    """The command among runc's arguments, and the file that it reads; None where there is nothing to change."""
    for command, flags in (("create", ("--bundle", "-b")), ("run", ("--bundle", "-b")), ("exec", ("--process", "-p"))):
        if command not in arguments:
            continue
        rest = arguments[arguments.index(command) + 1 :]
        given = [value for flag, value in itertools.pairwise(rest) if flag in flags]
        given += [argument.partition("=")[2] for argument in rest if argument.startswith(f"{flags[0]}=")]
        if command == "exec":
            return command, Path(given[0]) if given else None
        return command, Path(given[0] if given else ".", "config.json")
    return "", None


def main() -> None:
    """Changes the file that runc is about to read, and becomes runc."""
    command, path = file_to_read(sys.argv[1:])
    capability = may_raise_limits(Path("/proc/self/status").read_text())
    hugetlb = Path("/sys/fs/cgroup/hugetlb").exists() or Path("/sys/fs/cgroup/cgroup.controllers").exists()
    if path is not None and not (capability and hugetlb):
        content = json.loads(path.read_text())
        restrict(command, content, capability=capability, hugetlb=hugetlb)
        path.write_text(json.dumps(content))
    program = next(each for each in PROGRAMS if Path(each).exists())
    os.execv(program, [program, *sys.argv[1:]])  # noqa: S606 (that is its task)


if __name__ == "__main__":
    main()
