"""What tests ask a container runtime, by its CRI socket."""

from __future__ import annotations

import json

from testinfra.host import Host

_CRICTL = "crictl --timeout=60s"  # its own two seconds are little on a busy machine


def images(host: Host) -> set[str]:
    """References of the images it has."""
    listed = json.loads(host.check_output(f"{_CRICTL} images --output=json"))["images"]
    return {tag for image in listed for tag in image["repoTags"]}


def sandbox_states(host: Host) -> list[str]:
    """Runs a pod's sandbox and removes it; gives its state while it ran, and ``gone`` or what is left of it.

    The pod has the host's own network: there is no CNI where a runtime is tested by itself.
    """
    sandbox = {
        "metadata": {"name": "molecule", "namespace": "default", "uid": "molecule", "attempt": 0},
        "log_directory": "/tmp",
        "linux": {"security_context": {"namespace_options": {"network": 2}}},
    }
    host.check_output(f"echo '{json.dumps(sandbox)}' >/run/molecule.json")
    pod = host.check_output(f"{_CRICTL} runp /run/molecule.json")
    state = json.loads(host.check_output(f"{_CRICTL} inspectp {pod}"))["status"]["state"]
    host.check_output(f"{_CRICTL} rmp --force {pod}")
    return [state, host.check_output(f"{_CRICTL} pods --quiet") or "gone"]
