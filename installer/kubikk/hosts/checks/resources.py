"""Checks of memory, disks and clocks."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.hosts.checks.view import Fault, View, error, warning

MIB = 1 << 20
GIB = 1 << 30

# The kernel keeps some of a machine's memory for itself: one sold with 2 GB shows as little as 1.7 GiB.
CONTROL_PLANE_MEMORY = (1000 * MIB, 1700 * MIB)
"""Below the first is an error, below the second a warning. Kubernetes' own kubeadm asks for 1700 MB."""
OTHER_MEMORY = (450 * MIB, 900 * MIB)

FREE = {"/var/lib": (2 * GIB, 10 * GIB), "/opt": (1 * GIB, 2 * GIB)}
"""Free space for containers, images and etcd, and for binaries: error and warning."""
FREE_WHEN_INSTALLED = {"/var/lib": (256 * MIB, 1 * GIB), "/opt": (256 * MIB, 512 * MIB)}

CLOCK_WARNING, CLOCK_ERROR = 1.0, 5.0
"""Seconds. etcd warns from one on; certificates count from five minutes before they were issued."""


def _size(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def check_memory(view: View) -> Iterator[Fault]:
    """Enough memory for the host's roles."""
    control = view.host.is_control_plane
    least, comfortable = CONTROL_PLANE_MEMORY if control else OTHER_MEMORY
    found, role = view.facts.memory, "a control-plane host" if control else "a host"
    if found < least:
        yield error(f"{_size(found)} of memory; {role} needs {_size(least)}", "Give it more.")
    elif found < comfortable:
        yield warning(f"{_size(found)} of memory; {role} should have {_size(comfortable)}", "Give it more.")


def check_disk(view: View) -> Iterator[Fault]:
    """Free space where programs and data go. What Kubikk has put there already is not asked for again."""
    limits = FREE_WHEN_INSTALLED if view.facts.is_ours else FREE
    wanted: dict[int, tuple[list[str], int, int, int]] = {}
    for disk in view.facts.disks:
        if disk.path in limits:
            # Paths on one file system share its free space.
            paths, least, comfortable, _ = wanted.get(disk.device, ([], 0, 0, 0))
            more = limits[disk.path]
            wanted[disk.device] = ([*paths, disk.path], least + more[0], comfortable + more[1], disk.free)
    for paths, least, comfortable, free in wanted.values():
        where, needed = " and ".join(paths), f"{_size(free)} free for {' and '.join(paths)}"
        if free < least:
            yield error(f"{needed}; {_size(least)} are needed", f"Make room, or mount a larger disk at {where}.")
        elif free < comfortable:
            yield warning(
                f"{needed}; {_size(comfortable)} are advisable", f"Make room, or mount a larger disk at {where}."
            )


def check_swap(view: View) -> Iterator[Fault]:
    """Swap, which kubelet refuses to start with if it is told to."""
    if not view.host.is_node or not view.facts.swap:
        return
    found = f"{_size(view.facts.swap)} of swap are on"
    if view.cluster.components.kubelet.config.get("failSwapOn") is True:
        yield error(
            f"{found}, and components.kubelet.config.failSwapOn is true", "Run swapoff -a and clear /etc/fstab of it."
        )
    else:
        yield warning(
            f"{found}: pods get none of it, but a host that swaps answers late",
            "Run swapoff -a and clear /etc/fstab of it, unless you want it.",
        )


def check_clock(view: View) -> Iterator[Fault]:
    """A clock that agrees with this machine's, and so with the other hosts'."""
    # What the measuring itself may be wrong by is not held against the host.
    skew = max(0.0, abs(view.clock) - view.clock_error)
    if skew <= CLOCK_WARNING:
        return
    direction = "ahead of" if view.clock > 0 else "behind"
    found = f"the clock is {abs(view.clock):.1f} s {direction} this machine's"
    remedy = "Run an NTP client (chrony, systemd-timesyncd) on both."
    yield error(found, remedy) if skew > CLOCK_ERROR else warning(found, remedy)
