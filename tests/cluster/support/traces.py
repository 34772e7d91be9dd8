"""What a host consists of, to compare it before and after."""

from __future__ import annotations

from tests.cluster.support.labs import OwnLab

Traces = dict[str, set[str]]

# What a host consists of, one thing a line. Files that the host's own services write as they run are left out.
_TRACES = {
    "files": "find /etc /opt /usr/local /var/lib /var/log /run/systemd/system -xdev"
    " \\( -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/log/journal"
    " -o -path /var/lib/haproxy -o -path /var/log/apt -o -path '/etc/rc?.d' \\) -prune -o -print",
    "users": "cut -d: -f1 /etc/passwd /etc/group",
    "mounts": "cut -d' ' -f5 /proc/self/mountinfo",
    "interfaces": "ls /sys/class/net",
    "chains": "iptables-save | grep '^:.* - '; nft list tables | grep kube",
    "units": "systemctl list-unit-files --no-legend --state=enabled | cut -d' ' -f1",
    "processes": "ps -eo comm= --ppid 2 -p 2 --deselect | sort -u",
}


def traces(own: OwnLab, host: str) -> Traces:
    """What a host consists of: kind of thing -> names."""
    return {kind: set(own.run(host, f"{command}; true").splitlines()) for kind, command in _TRACES.items()}
