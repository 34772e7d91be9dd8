"""Runs on a host: what preflight checks need to know. Changes nothing there, needs no package beside python3.

``INPUT`` is {paths: directories whose free space is wanted, listed: directories to list, present: paths to look for,
ports: {tcp: [port], udp: [port]}, units: [systemd unit], certificates: files whose first certificate is wanted}.
"""

# ruff: noqa: B905 - zip() has no strict in Python 3.9

from __future__ import annotations

import glob
import ipaddress
import json
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

LISTENING = {"tcp": "0A", "udp": "07"}
INPUT: dict[str, Any] = globals().get("INPUT", {})


def read(path: str) -> str:
    """A file's text, or "" where there is none."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def run(*command: str) -> tuple[int, str]:
    """Exit status and output of a command; (-1, "") where it does not exist or does not end."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return done.returncode, (done.stdout or done.stderr).strip()


def os_release() -> dict[str, Any]:
    """The distribution."""
    pairs = [line.split("=", 1) for line in read("/etc/os-release").splitlines() if "=" in line]
    values = {key: value.strip("\"'") for key, value in pairs}
    return {
        "id": values.get("ID", ""),
        "like": values.get("ID_LIKE", "").split(),
        "version": values.get("VERSION_ID", ""),
        "name": values.get("PRETTY_NAME", ""),
    }


def systemd_version() -> int:
    """For example 252; 0 where there is no systemd."""
    words = run("systemctl", "--version")[1].split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def cgroup() -> dict[str, Any]:
    """Version and controllers."""
    unified = read("/sys/fs/cgroup/cgroup.controllers")
    if unified:
        return {"version": 2, "controllers": unified.split()}
    rows = [line.split() for line in read("/proc/cgroups").splitlines() if not line.startswith("#")]
    # Hierarchy 0 is the unified one, which is not mounted here.
    return {"version": 1, "controllers": [row[0] for row in rows if len(row) == 4 and row[3] == "1" and row[1] != "0"]}


def module(name: str) -> bool:
    """Whether a kernel module is loaded, built in, or can be loaded."""
    builtin = f"/lib/modules/{platform.release()}/modules.builtin"
    if Path("/sys/module", name).is_dir():
        return True
    if f"/{name}.ko" in read(builtin).replace("-", "_"):
        return True
    return run("modprobe", "--dry-run", "--quiet", name)[0] == 0


def features() -> dict[str, bool]:
    """What the kernel can do; where its modules tell nothing, it is tried in a network namespace of its own."""
    overlay = any(line.split()[-1:] == ["overlay"] for line in read("/proc/filesystems").splitlines())
    return {
        "overlay": overlay or module("overlay"),
        "br_netfilter": Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() or module("br_netfilter"),
        "nf_conntrack": Path("/proc/sys/net/netfilter/nf_conntrack_max").exists() or module("nf_conntrack"),
        "vxlan": module("vxlan") or link("vxlan", "id", "1", "dstport", "8472"),
        "bridge": module("bridge") or link("bridge"),
        "veth": module("veth") or link("veth"),
        "iptables": iptables(),
        "nf_tables": run("nft", "list", "tables")[0] == 0 or module("nf_tables"),
        "ip_vs": Path("/proc/net/ip_vs").exists() or module("ip_vs"),
        "dummy": module("dummy") or link("dummy"),
    }


def link(*kind: str) -> bool:
    """Whether a network interface of a kind can be made."""
    return run("unshare", "--net", "ip", "link", "add", "probe0", "type", *kind)[0] == 0


def iptables() -> bool:
    """Whether packets can be filtered; where the command is not installed yet, whether the kernel could."""
    command = shutil.which("iptables", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if command:
        return run(command, "--wait", "5", "--table", "nat", "--list-rules")[0] == 0
    return module("nf_tables") or module("ip_tables")


def disks() -> list[dict[str, Any]]:
    """Free space for each path wanted, of the file system that it is or would be on."""
    found = []
    for path in INPUT["paths"]:
        there = Path(path)
        while not there.exists():
            there = there.parent
        status = os.statvfs(there)
        size, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
        found.append({"path": path, "device": there.stat().st_dev, "size": size, "free": free})
    return found


def memory() -> dict[str, int]:
    """Bytes of memory and swap."""
    rows = [line.split() for line in read("/proc/meminfo").splitlines()]
    values = {row[0].rstrip(":"): int(row[1]) * 1024 for row in rows if len(row) > 1}
    return {"memory": values.get("MemTotal", 0), "swap": values.get("SwapTotal", 0)}


def addresses() -> list[str]:
    """The host's own addresses, from the kernel's table of local routes, and of IPv6 from its list of addresses."""
    found, last = set(), ""
    for line in read("/proc/net/fib_trie").splitlines():
        words = line.split()
        if words[:1] in (["|--"], ["+--"]):
            last = words[1].split("/")[0]
        elif words[-2:] == ["host", "LOCAL"]:
            found.add(last)
    for line in read("/proc/net/if_inet6").splitlines():
        digits = line.split()[0]
        found.add(str(ipaddress.IPv6Address(int(digits, 16))))
    return sorted(found)


def default_route() -> bool:
    """Whether there is a default route of IPv4."""
    rows = [line.split() for line in read("/proc/net/route").splitlines()[1:]]
    return any(len(row) > 7 and row[1] == "00000000" and row[7] == "00000000" for row in rows)


def default_route_ipv6() -> bool:
    """The same for IPv6; routes of the interface lo are the kernel's own, which reject."""
    rows = [line.split() for line in read("/proc/net/ipv6_route").splitlines()]
    return any(row[0] == "0" * 32 and row[1] == "00" and row[-1] != "lo" for row in rows)


def processes(inodes: set[str]) -> dict[str, str]:
    """Which process holds a socket: inode -> process id."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, str] = {}
    # Not Path.glob, which fails where a process ends meanwhile.
    for path in glob.iglob("/proc/[0-9]*/fd/*") if wanted else ():  # noqa: PTH207
        try:
            target = os.readlink(path)  # noqa: PTH115 - such a link's target is no path
        except OSError:
            continue
        if target in wanted:
            found.setdefault(wanted[target], path.split("/")[2])
    return found


def executable(process: str) -> str:
    """The file that a process runs, or ""."""
    try:
        return str(Path(f"/proc/{process}/exe").readlink())
    except OSError:
        return ""


def unit(process: str) -> str:
    """The systemd service that a process belongs to, or ""."""
    for line in read(f"/proc/{process}/cgroup").splitlines():
        for part in reversed(line.split(":", 2)[-1].split("/")):
            if part.endswith(".service"):
                return part
    return ""


def listeners() -> list[dict[str, Any]]:
    """Who listens on the ports wanted."""
    rows = []
    for protocol, ports in INPUT["ports"].items():
        for suffix in ("", "6"):
            for line in read(f"/proc/net/{protocol}{suffix}").splitlines()[1:]:
                words = line.split()
                port = int(words[1].rpartition(":")[2], 16)
                if port in ports and words[3] == LISTENING[protocol]:
                    rows.append((protocol, port, words[9]))
    holders = processes({inode for _, _, inode in rows})
    found = []
    for protocol, port, inode in sorted(set(rows)):
        process = holders.get(inode, "")
        found.append(
            {
                "protocol": protocol,
                "port": port,
                "program": read(f"/proc/{process}/comm").strip() if process else "",
                "executable": executable(process) if process else "",
                "unit": unit(process) if process else "",
            }
        )
    return found


def units() -> dict[str, dict[str, str]]:
    """State of systemd services: those that exist."""
    names = [f"{name}.service" for name in INPUT["units"]]
    properties = "Id,LoadState,ActiveState,FragmentPath,MainPID"
    text = run("systemctl", "show", "--property=" + properties, *names)[1]
    found = {}
    for name, block in zip(INPUT["units"], text.split("\n\n")):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("LoadState") not in ("loaded", "masked"):
            continue
        process = values.get("MainPID", "0")
        found[name] = {
            "active": values.get("ActiveState", ""),
            "file": values.get("FragmentPath", ""),
            "executable": executable(process) if process != "0" else "",
        }
    return found


def vxlan_interfaces() -> list[dict[str, Any]]:
    """VXLAN interfaces and their UDP ports; the kernel listens there, no process does."""
    status, text = run("ip", "-details", "-json", "link", "show", "type", "vxlan")
    if status != 0:
        return []
    try:
        links = json.loads(text or "[]")
    except ValueError:
        return []
    return [
        {"name": item["ifname"], "port": item.get("linkinfo", {}).get("info_data", {}).get("port", 0)}
        for item in links
        if item.get("ifname")
    ]


def listing(path: str) -> list[str]:
    """Names in a directory; none where it does not exist."""
    try:
        return sorted(entry.name for entry in Path(path).iterdir())
    except OSError:
        return []


def stamps() -> list[str]:
    """Units that Kubikk has started on this host."""
    return [name[: -len(".json")] for name in listing("/var/lib/kubikk/units") if name.endswith(".json")]


def selinux() -> str:
    """enforcing, permissive, or ""."""
    return {"1": "enforcing", "0": "permissive"}.get(read("/sys/fs/selinux/enforce").strip(), "")


def ufw() -> bool:
    """Whether ufw filters packets."""
    return any(line.replace(" ", "").lower() == "enabled=yes" for line in read("/etc/ufw/ufw.conf").splitlines())


def certificates() -> dict[str, str]:
    """The first certificate of files, without the key that may lie beside it."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    found = {}
    for path in INPUT["certificates"]:
        _, there, rest = read(path).partition(begin)
        if there:
            found[path] = begin + rest.partition(end)[0] + end + "\n"
    return found


def networks() -> dict[str, str]:
    """What the cluster on this host gives pods and Services, from kube-controller-manager's flags; {} without one."""
    words = read("/etc/systemd/system/kube-controller-manager.service").split()
    flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
    return {
        key: flags[flag]
        for key, flag in (("pods", "cluster-cidr"), ("services", "service-cluster-ip-range"))
        if flag in flags
    }


def facts() -> dict[str, Any]:
    """All of it."""
    return {
        "root": os.geteuid() == 0,
        "python": platform.python_version(),
        "arch": platform.machine(),
        "kernel": platform.release(),
        "hostname": platform.node(),
        "machine_id": read("/etc/machine-id").strip(),
        "os": os_release(),
        "init": read("/proc/1/comm").strip(),
        "systemd": systemd_version(),
        "cgroup": cgroup(),
        "features": features(),
        "cpus": os.cpu_count() or 0,
        "disks": disks(),
        "addresses": addresses(),
        "default_route": default_route(),
        "default_route_ipv6": default_route_ipv6(),
        "listeners": listeners(),
        "units": units(),
        "vxlan": vxlan_interfaces(),
        "kubikk_units": stamps(),
        "listed": {path: listing(path) for path in INPUT["listed"]},
        "present": [path for path in INPUT["present"] if os.path.lexists(path)],
        "selinux": selinux(),
        "ufw": ufw(),
        "certificates": certificates(),
        "networks": networks(),
        "time": time.time(),
        **memory(),
    }


if __name__ == "__main__":
    print(json.dumps(facts()), flush=True)
