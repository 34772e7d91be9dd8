"""Times for machines that an interpreter runs, ten times slower than a processor."""

from __future__ import annotations

from pathlib import Path

import yaml

_ROLES = (
    *("api_load_balancer", "containerd", "cri_o", "docker", "etcd", "flannel", "kube_apiserver"),
    *("kube_controller_manager", "kube_proxy", "kube_scheduler", "kubelet"),
)
SECONDS = 900


def be_patient(inventory: Path) -> None:
    """Lets roles wait longer, by a file of variables that anybody may put into an inventory.

    Args:
        inventory: ``inventory/<name>``.
    """
    variables = {f"{role}_start_timeout": SECONDS for role in _ROLES} | {"cluster_ready_timeout": SECONDS}
    (inventory / "group_vars").mkdir(parents=True, exist_ok=True)
    for group in ("etcd", "k8s_cluster"):
        (inventory / "group_vars" / f"{group}.yml").write_text(yaml.safe_dump(variables))
