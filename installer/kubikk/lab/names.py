"""Every name a lab uses on the machine follows from the lab's name, so that leftovers are found without any record."""

from __future__ import annotations

import hashlib
import re

from kubikk.errors import KubikkError

_LAB_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
# The kernel allows 15 characters for an interface; systemd-nspawn names a host's veth "vb-" + machine name.
_LONGEST_MACHINE_NAME = 12


def check_lab_name(lab: str) -> str:
    """The name itself, if it is a DNS label of at most 30 characters.

    Raises:
        KubikkError: it is not.
    """
    if not _LAB_NAME.fullmatch(lab):
        raise KubikkError(
            f"{lab!r} is no name for a lab",
            remedy="Use 1 to 30 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
        )
    return lab


def _digest(lab: str) -> str:
    return hashlib.sha256(lab.encode()).hexdigest()


def bridge(lab: str) -> str:
    """The lab's bridge interface, 11 characters."""
    return f"kbk{_digest(lab)[:8]}"


def bridge_mac(lab: str) -> str:
    """The bridge's fixed MAC address: locally administered, unicast."""
    digest = _digest(lab)
    return ":".join(["02", *(digest[i : i + 2] for i in range(8, 18, 2))])


def chain(lab: str) -> str:
    """The lab's own iptables chain, in the tables filter and nat alike."""
    return f"KUBIKK-{_digest(lab)[:8]}"


def machine(lab: str, host: str) -> str:
    """The name systemd-nspawn knows a host by, at most 12 characters."""
    plain = f"{lab}-{host}"
    return plain if len(plain) <= _LONGEST_MACHINE_NAME else f"{_digest(lab)[:6]}-{host}"


def veth(lab: str, host: str) -> str:
    """The machine's end of a host's network cable, as systemd-nspawn names it."""
    return f"vb-{machine(lab, host)}"


def cgroup_prefix(lab: str) -> str:
    """What the names of all cgroups of a lab begin with; a lab's name has no dot, so none is another's prefix."""
    return f"kubikk.{lab}."


def cgroup(lab: str, host: str) -> str:
    """The cgroup (or scope, without its suffix) that holds everything of one host."""
    return f"{cgroup_prefix(lab)}{host}"
