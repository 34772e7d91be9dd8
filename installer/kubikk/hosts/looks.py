"""One look at all hosts, and at the cluster in the API, that tells whether they are as they were left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.errors import KubikkError
from kubikk.hosts.probes import connections, on_each
from kubikk.hosts.programs import source
from kubikk.hosts.ssh.programs import Answer
from kubikk.paths import content_root

_KUBECONFIG = "/etc/kubernetes/admin.conf"
# What plugins/module_utils/states.py imports, directly or by others.
_MODULES = (
    *("alone", "artifacts", "distributions", "failures", "files", "health", "images", "kernel", "kubectl", "objects"),
    *("packages", "records", "runtimes", "selinux", "states", "systemd", "users"),
)


@dataclass(frozen=True)
class Look:
    """What was seen of a host.

    Attributes:
        state: a sha256 of what it is like; None where that was not asked for.
        cluster: a sha256 of what the cluster in the API is like; "" where it is not as it should be, None where this
            host was not asked for it.
        begun: seconds since 1970.
        seconds: how long it took.
    """

    state: str | None
    cluster: str | None
    begun: float
    seconds: float


def modules() -> dict[str, str]:
    """The source, by name, of those files of plugins/module_utils that a look takes."""
    directory = content_root() / "plugins" / "module_utils"
    return {name: (directory / f"{name}.py").read_text() for name in _MODULES}


def look_at(
    cluster: Cluster,
    hosts: Mapping[str, Mapping[str, Any]],
    api: Mapping[str, Any] | None,
    become_password: str | None = None,
) -> dict[str, Look]:
    """Looks at hosts, all at once; changes nothing.

    Args:
        cluster: the cluster.
        hosts: what to look at, by host, as the module ``probe`` gives it.
        api: what to look at through the API, as the modules ``manifests`` and ``nodes`` give it; None for nothing. A
            control-plane host is asked, one of ``hosts`` if there is one among them.
        become_password: sudo's password, where it wants one.

    Returns:
        By host; without those that do not answer as they should.
    """
    sent = modules()
    able = [host.name for host in cluster.control_plane_hosts]
    asked = {next((name for name in able if name in hosts), able[0])} if api is not None else set()
    with connections(cluster, become_password, only=hosts.keys() | asked) as found:

        def ask(host: Host) -> Look:
            begun = time.time()
            question = {
                "modules": sent,
                "host": hosts.get(host.name),
                "cluster": api if host.name in asked else None,
                "kubeconfig": _KUBECONFIG,
            }
            answer: Answer = found.opened[host.name].run(source("look"), question)
            return Look(answer.data["host"], answer.data["cluster"], begun, time.time() - begun)

        looks = on_each(tuple(host for host in cluster.hosts if host.name in found.opened), ask)
    return {name: look for name, look in looks.items() if not isinstance(look, KubikkError)}
