#!/usr/bin/python
"""Take Kubernetes off a host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: uninstall
short_description: Take Kubernetes off a host
description:
  - Stops units, removes pods, unmounts and deletes files, network interfaces and iptables chains.
  - Can be repeated after an interruption; on a host where nothing is left it changes nothing.
author:
  - The Kubikk authors
options:
  units:
    description:
      - systemd services, stopped and disabled in this order; Kubikk's unit files and drop-ins are removed when all
        else is.
    type: list
    elements: str
    default: []
  runtimes:
    description:
      - Container runtimes to remove after those units, with their pods, images and state. One that was not installed by
        Kubikk is left alone.
    type: list
    elements: str
    choices: [containerd, cri-o, docker]
    default: []
  stopped:
    description: systemd services that use those units; they are stopped before them, and stay where they are.
    type: list
    elements: str
    default: []
  users:
    description: System users to remove.
    type: list
    elements: str
    default: []
  paths:
    description:
      - Files and directories to remove. A directory that is a mount point itself is emptied, not unmounted, because
        the host's owner mounted it.
    type: list
    elements: path
    default: []
  directories:
    description: Directories that are removed if nothing is left in them, in this order.
    type: list
    elements: path
    default: []
  interfaces:
    description: Network interfaces to remove.
    type: list
    elements: str
    default: []
  chains:
    description: How the names of iptables chains begin that are removed, with all rules that name them.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Lists what would be removed.
  diff_mode:
    support: none
    description: The result lists what was removed.
"""

EXAMPLES = r"""
- name: Take kubelet off the host
  kubikk.kubikk.uninstall:
    units: [kubelet]
    paths: [/var/lib/kubelet]
"""

RETURN = r"""
removed:
  description: What was stopped or removed; processes and mounts only where they are all that was left.
  returned: always
  type: list
  elements: str
"""

import os
import pwd
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone, failures
from ansible_collections.kubikk.kubikk.plugins.module_utils.runtimes import RUNTIMES

UNIT_DIRECTORY = Path("/etc/systemd/system")
LINK_DIRECTORIES = (Path("/usr/local/bin"), Path("/opt/cni/bin"))
CRICTL = ("/usr/local/bin/crictl", "--timeout", "30s")


def call(*command, **options):
    """Runs a program that may fail, for at most two minutes; returns its output ("" where there is none)."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, input=options.get("stdin")
        ).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""


def file_name(unit):
    """The name of a unit's file: a service's, where the unit is named without suffix."""
    return unit if "." in unit else unit + ".service"


def is_installed(runtime):
    """Whether Kubikk installed a runtime on this host."""
    return (UNIT_DIRECTORY / file_name(RUNTIMES[runtime]["units"][0])).exists()


def unit_files(unit):
    """Kubikk's files of a unit that are there: the unit itself, or a drop-in for a unit of the distribution."""
    name = file_name(unit)
    return [path for path in (UNIT_DIRECTORY / name, UNIT_DIRECTORY / (name + ".d") / "kubikk.conf") if path.exists()]


def stop_units(units, act):
    """Stops and disables units."""
    for unit in units if act else []:
        call("systemctl", "disable", "--now", file_name(unit))
        call("systemctl", "reset-failed", file_name(unit))
        if unit == "kube-proxy":
            # It knows what it made in any mode: chains, tables, virtual servers, sets, an interface.
            call("/usr/local/bin/kube-proxy", "--cleanup")


def remove_pods(runtime, act):
    """Removes all pods while their runtime still runs, so that it cleans up after them."""
    if act:
        # One that an interrupted run has stopped cleans up too.
        call("systemctl", "start", file_name(RUNTIMES[runtime]["units"][0]))
        call(*CRICTL, "--runtime-endpoint", RUNTIMES[runtime]["socket"], "rmp", "--force", "--all")


def remove_unit_files(units, act):
    """Removes units' files, the first unit's last: while it is there, the work is not done."""
    for unit in reversed(units) if act else []:
        for path in unit_files(unit):
            path.unlink()
            if path.parent != UNIT_DIRECTORY and not any(path.parent.iterdir()):
                path.parent.rmdir()
    if units and act:
        call("systemctl", "daemon-reload")


def group_names(groups):
    """The names of all cgroups that a process is in, those above included; from the text of its /proc/PID/cgroup."""
    return {part for line in groups.splitlines() for part in line.split(":", 2)[2].split("/")}


def kill_leftovers(units, pods, act):
    """Ends what outlives its unit: containers' shims and what they run, where pods have to go."""
    doomed = []
    # Where this very process is in such a group, all of the host is: a pod that plays a host.
    wanted = {unit + ".service" for unit in units} | ({"kubepods", "kubepods.slice"} if pods else set())
    wanted -= group_names(Path("/proc/self/cgroup").read_text())
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and not wanted.isdisjoint(group_names((entry / "cgroup").read_text())):
                doomed.append(int(entry.name))
        except OSError:
            continue
    for pid in doomed if act else []:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return ["process %d" % pid for pid in sorted(doomed)]


def unmount_below(paths, pods, act):
    """Unmounts what is mounted below the paths, the deepest first, and network namespaces where pods have to go."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [point for point in points if any(point.startswith(path + "/") for path in paths)]
    below += [point for point in points if pods and point.startswith("/run/netns/cni-")]
    below.sort(key=len, reverse=True)
    for point in below:
        if act:
            call("umount", "--lazy", point.encode().decode("unicode_escape"))
            if point.startswith("/run/netns/cni-"):
                Path(point).unlink(missing_ok=True)
    return ["mount " + point for point in below]


def remove_path(path, act):
    """Removes a file or directory; empties a directory that is a mount point."""
    target = Path(path)
    if not os.path.lexists(path):
        return []
    if target.is_dir() and not target.is_symlink():
        if os.path.ismount(path):
            children = list(target.iterdir())
            if act:
                for child in children:
                    shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
            return [path + "/*"] if children else []
        if act:
            shutil.rmtree(path)
    elif act:
        target.unlink()
    return [path]


def remove_if_empty(path, act):
    """Removes a directory in which nothing is left, and which nobody mounted there."""
    if not os.path.isdir(path) or os.path.islink(path) or os.path.ismount(path) or os.listdir(path):
        return []
    if act:
        os.rmdir(path)
    return [path]


def remove_links(paths, act):
    """Removes links to binaries below the paths."""
    removed = []
    below = tuple(path + "/" for path in paths)
    for directory in LINK_DIRECTORIES:
        for entry in directory.iterdir() if directory.is_dir() else []:
            if entry.is_symlink() and os.readlink(entry).startswith(below):
                removed.append(str(entry))
                if act:
                    entry.unlink()
    return removed


def remove_interfaces(interfaces, act):
    """Removes network interfaces; those of pods go with their network namespaces."""
    removed = [name for name in interfaces if Path("/sys/class/net", name).exists()]
    for name in removed:
        if act:
            call("ip", "link", "delete", name)
    return ["interface " + name for name in removed]


def without_chains(rules, prefixes):
    """The text of iptables-save without chains whose names begin so, and without rules that name them."""
    kept = []
    for line in rules.splitlines():
        words = shlex.split(line[1:] if line.startswith(":") else line)
        named = [word for before, word in zip(["", *words], words) if before != "--comment"]
        if not any(word.startswith(prefix) for word in named for prefix in prefixes):
            kept.append(line)
    return "\n".join(kept) + "\n"


def remove_chains(prefixes, act):
    """Removes chains and the rules that lead to them, leaving all others; KUBE- means nftables, too."""
    removed = []
    for family in ("iptables", "ip6tables"):
        rules = call(family + "-save")
        kept = without_chains(rules, prefixes)
        if prefixes and kept.splitlines() != rules.splitlines():
            removed.append(family + " chains " + " ".join(prefix + "*" for prefix in prefixes))
            if act:
                call(family + "-restore", stdin=kept)
    for family in ("ip", "ip6") if "KUBE-" in prefixes else ():
        if "table %s kube-proxy" % family in call("nft", "list", "tables"):
            removed.append("nftables table %s kube-proxy" % family)
            if act:
                call("nft", "delete", "table", family, "kube-proxy")
    return removed


def remove_users(users, act):
    """Removes system users."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    removed = [user for user in users if user in known]
    for user in removed:
        if act:
            call("userdel", user)
    return ["user " + user for user in removed]


def uninstall(want, act):
    """Does, or in check mode lists, all of it."""
    runtimes = [runtime for runtime in want["runtimes"] if is_installed(runtime)]
    services = [unit for unit in want["units"] if unit_files(unit)]
    for unit in want["stopped"] if act else []:
        call("systemctl", "stop", file_name(unit))
    stop_units(services, act)
    units, paths = list(want["units"]), list(want["paths"])
    for runtime in runtimes:
        remove_pods(runtime, act)
        stop_units(RUNTIMES[runtime]["units"], act)
        units += RUNTIMES[runtime]["units"]
        paths += RUNTIMES[runtime]["paths"]
        services += [unit for unit in RUNTIMES[runtime]["units"] if unit_files(unit)]
    # No pod can stay without its kubelet or its runtime; without its network it can.
    pods = "kubelet" in units or bool(want["runtimes"])
    left = kill_leftovers(units, pods, act) + unmount_below(paths, pods, act)
    removed = ["unit " + unit for unit in services] or left
    removed += remove_interfaces(want["interfaces"], act)
    removed += remove_chains(want["chains"], act)
    removed += remove_links(paths, act)
    for path in dict.fromkeys(paths):
        removed += remove_path(path, act)
    for path in want["directories"]:
        removed += remove_if_empty(path, act)
    removed += remove_users(want["users"], act)
    remove_unit_files(services, act)
    return removed


def main():
    """Runs the module."""
    strings = {"type": "list", "elements": "str", "default": []}
    paths = {"type": "list", "elements": "path", "default": []}
    module = AnsibleModule(
        argument_spec={
            "units": strings,
            "runtimes": {"type": "list", "elements": "str", "choices": sorted(RUNTIMES), "default": []},
            "stopped": strings,
            "users": strings,
            "paths": paths,
            "directories": paths,
            "interfaces": strings,
            "chains": strings,
        },
        supports_check_mode=True,
    )
    act = not module.check_mode
    try:
        with alone.alone(act):
            removed = uninstall(module.params, act)
    except alone.BusyError as error:
        module.fail_json(msg=str(error), failure=failures.of(error))
    # What `probe` found before need not hold any longer.
    facts = {"kubikk_converged": {}} if removed and act else {}
    module.exit_json(changed=bool(removed), removed=removed, ansible_facts=facts)


if __name__ == "__main__":
    main()
