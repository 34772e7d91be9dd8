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
    description: systemd units, stopped and disabled in this order; Kubikk's unit files and drop-ins are removed.
    type: list
    elements: str
    required: true
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
  description: What was stopped or removed.
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
from ansible_collections.kubikk.kubikk.plugins.module_utils import alone

UNIT_DIRECTORY = Path("/etc/systemd/system")
LINK_DIRECTORIES = (Path("/usr/local/bin"), Path("/opt/cni/bin"))
BINARIES = "/opt/kubikk/"


def call(*command, **options):
    """Runs a program that may fail, for at most two minutes; returns its output ("" where there is none)."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, input=options.get("stdin")
        ).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""


def stop_units(units, act):
    """Stops and disables units. Pods are removed while the runtime still runs, so that it cleans up after them."""
    removed = []
    for unit in units:
        state = call("systemctl", "show", "-p", "ActiveState", "--value", unit + ".service").strip()
        unit_file = UNIT_DIRECTORY / (unit + ".service")
        drop_in = UNIT_DIRECTORY / (unit + ".service.d") / "kubikk.conf"
        ours = unit_file.exists() or drop_in.exists()
        if not ours:
            continue
        removed.append("unit " + unit)
        if not act:
            continue
        if unit == "containerd" and state == "active":
            call("/usr/local/bin/crictl", "--timeout", "30s", "rmp", "--force", "--all")
        call("systemctl", "disable", "--now", unit + ".service")
        call("systemctl", "reset-failed", unit + ".service")
        if unit == "kube-proxy":
            # It knows what it made in any mode: chains, tables, virtual servers, sets, an interface.
            call("/usr/local/bin/kube-proxy", "--cleanup")
        unit_file.unlink(missing_ok=True)
        if drop_in.exists():
            drop_in.unlink()
            if not any(drop_in.parent.iterdir()):
                drop_in.parent.rmdir()
    if removed and act:
        call("systemctl", "daemon-reload")
    return removed


def kill_leftovers(act):
    """Ends programs from Kubikk's directory that outlive their units, such as containers' shims and what they run."""
    removed = []
    parents = {}
    shims = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program = os.readlink(entry / "exe")
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if program.startswith(BINARIES):
            shims.append(int(entry.name))
    doomed = set(shims)
    grown = True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in doomed} - doomed
        doomed |= children
        grown = bool(children)
    doomed.discard(os.getpid())
    for pid in sorted(doomed):
        removed.append("process %d" % pid)
        if act:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return removed


def unmount_below(paths, act):
    """Unmounts what is mounted below the paths, the deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [point for point in points if any(point.startswith(path + "/") for path in paths)]
    below += [point for point in points if point.startswith("/run/netns/cni-")]
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


def remove_links(act):
    """Removes symbolic links that lead into Kubikk's directory of binaries."""
    removed = []
    for directory in LINK_DIRECTORIES:
        for entry in directory.iterdir() if directory.is_dir() else []:
            if entry.is_symlink() and os.readlink(entry).startswith(BINARIES):
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
    """Removes chains and the rules that lead to them, leaving all others; also kube-proxy's nftables table."""
    removed = []
    for family in ("iptables", "ip6tables"):
        rules = call(family + "-save")
        kept = without_chains(rules, prefixes)
        if prefixes and kept.splitlines() != rules.splitlines():
            removed.append(family + " chains " + " ".join(prefix + "*" for prefix in prefixes))
            if act:
                call(family + "-restore", stdin=kept)
    for family in ("ip", "ip6"):
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
    removed = stop_units(want["units"], act)
    removed += kill_leftovers(act)
    removed += unmount_below(want["paths"], act)
    removed += remove_interfaces(want["interfaces"], act)
    removed += remove_chains(want["chains"], act)
    removed += remove_links(act)
    for path in want["paths"]:
        removed += remove_path(path, act)
    for path in want["directories"]:
        removed += remove_if_empty(path, act)
    return removed + remove_users(want["users"], act)


def main():
    """Runs the module."""
    strings = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "str", "required": True},
            "users": strings,
            "paths": {"type": "list", "elements": "path", "default": []},
            "directories": {"type": "list", "elements": "path", "default": []},
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
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
