"""Which artifacts a cluster needs: for every architecture that is among its hosts, and no other."""

from __future__ import annotations

import re

import pytest
import yaml

from kubikk.cluster import Cluster
from kubikk.operations.prepare import wanted
from kubikk.paths import content_root

HOSTS = [
    {"name": "cp1", "address": "10.0.0.11", "roles": ["control-plane"]},
    {"name": "w1", "address": "10.0.0.21", "roles": ["worker"]},
]


@pytest.mark.parametrize("archs", [("amd64", "amd64"), ("amd64", "arm64"), ("arm64", "arm64")])
def test_every_component_for_every_architecture(archs: tuple[str, str]) -> None:
    hosts = [{**host, "arch": arch} for host, arch in zip(HOSTS, archs, strict=True)]
    entries = wanted(Cluster.model_validate({"hosts": hosts}))
    for component in ("kubelet", "containerd", "runc", "etcd", "image-pause", "image-coredns"):
        assert {entry.arch for entry in entries if entry.component == component} == set(archs), component


def test_roles_take_the_binaries_of_the_host() -> None:
    """Whatever a role ships, it looks up by an architecture that is, by default, the host's."""
    roles = content_root() / "roles"
    tasks = [(path.parts[-3], path.read_text()) for path in roles.glob("*/tasks/*.yml")]
    shipping = [(role, text) for role, text in tasks if re.search(r"artifact\w*\[", text)]
    assert {"etcd", "kubelet", "kube_proxy", "containerd", "cri_o", "flannel"} <= {role for role, _ in shipping}
    for role, text in shipping:
        used = set(re.findall(r"\w+_artifact\[(\w+)\]", text))
        defaults = yaml.safe_load((roles / role / "defaults/main.yml").read_text())
        assert used == {f"{role}_arch"}, role
        assert defaults[f"{role}_arch"] == "{{ kubikk_host.arch }}"
