"""CNI plugins: that they are there and answer, and that a damaged one is not installed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from shared.hosts import permissions
from testinfra.host import Host
from tests.cluster.support.description import Description


def _files(cluster: Description, artifact: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The files of an artifact for the hosts' architecture."""
    files: dict[str, dict[str, Any]] = artifact[cluster.hosts["cp1"].variables["kubikk_host"]["arch"]]["files"]
    return files


def test_plugins_are_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    artifact = cluster.variables["kubikk_artifacts"]["cni-plugins"]
    version, names = artifact["version"], sorted(_files(cluster, artifact))
    assert {"bridge", "host-local", "loopback", "portmap"} <= set(names)
    found = host.check_output("cd /opt/cni/bin && for name in *; do echo $name $(readlink $name); done").splitlines()
    assert found == [f"{name} /opt/kubikk/cni-plugins/{version}/{name}" for name in names]


def test_plugins_answer(host: Host, cluster: Description) -> None:
    for name in _files(cluster, cluster.variables["kubikk_artifacts"]["cni-plugins"]):
        command = f"""echo '{{"cniVersion": "1.0.0"}}' | CNI_COMMAND=VERSION /opt/cni/bin/{name}"""
        assert "1.0.0" in json.loads(host.check_output(command))["supportedVersions"]


def test_permissions(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["cni-plugins"]["version"]
    expected = {
        "/opt/cni/bin": "755 root:root",
        "/etc/cni/net.d": "755 root:root",
        f"/opt/kubikk/cni-plugins/{version}/bridge": "755 root:root",
    }
    assert permissions(host, expected) == expected


def test_a_damaged_plugin_is_not_installed(host: Host, cluster: Description, refused: Callable[..., str]) -> None:
    artifact = copy.deepcopy(cluster.variables["kubikk_artifacts"]["cni-plugins"])
    artifact["version"] = "damaged"
    _files(cluster, artifact)["bridge"]["sha256"] = "0" * 64
    assert "bridge of cni-plugins arrived damaged: its sha256 is wrong" in refused(cni_artifact=artifact)
    assert "damaged" not in host.check_output("readlink /opt/cni/bin/bridge")
    assert json.loads(host.check_output("CNI_COMMAND=VERSION /opt/cni/bin/bridge </dev/null"))


def test_an_unknown_architecture_is_refused(refused: Callable[..., str]) -> None:
    output = refused(cni_arch="sparc")
    assert "value of cni_arch must be one of: amd64, arm64, got: sparc" in output
