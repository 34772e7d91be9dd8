"""containerd: how it runs, who may talk to it, which images it has, that it runs containers, and bad settings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, unit
from shared.runtime import images, sandbox_states
from testinfra.host import Host
from tests.cluster.support.description import Description


def test_it_runs(host: Host) -> None:
    found = unit(host, "containerd")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_programs_are_the_versions_that_were_asked_for(host: Host, cluster: Description) -> None:
    artifacts = cluster.variables["kubikk_artifacts"]
    versions = {name: artifacts[name]["version"].removeprefix("v") for name in ("containerd", "runc", "crictl")}
    assert f"v{versions['containerd']}" in host.check_output("containerd --version").split()
    assert host.check_output("readlink /usr/local/bin/runc") == f"/opt/kubikk/runc/{versions['runc']}/runc"
    assert host.check_output("readlink /usr/local/bin/crictl") == f"/opt/kubikk/crictl/{versions['crictl']}/crictl"


def test_permissions(host: Host) -> None:
    expected = {
        "/run/containerd/containerd.sock": "660 root:root",
        "/etc/containerd/config.toml": "644 root:root",
        "/etc/containerd/certs.d": "755 root:root",
    }
    assert permissions(host, expected) == expected


def test_nothing_listens_on_the_network(host: Host) -> None:
    assert {address.rpartition(":")[0] for address in listening(host, "containerd")} <= {"127.0.0.1"}


def test_the_images_are_there_without_a_registry(host: Host, cluster: Description) -> None:
    wanted = {cluster.variables["kubikk_artifacts"][name]["ref"] for name in ("image-pause", "image-coredns")}
    assert wanted <= images(host)


def test_the_pause_image_is_pinned(host: Host, cluster: Description) -> None:
    pause = cluster.variables["kubikk_artifacts"]["image-pause"]["ref"]
    listed = json.loads(host.check_output("crictl images --output=json"))["images"]
    assert [image["pinned"] for image in listed if pause in image["repoTags"]] == [True]


def test_a_pod_sandbox_runs(host: Host) -> None:
    assert sandbox_states(host) == ["SANDBOX_READY", "gone"]


@pytest.mark.usefixtures("healed")
def test_a_bad_setting_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(containerd_config={"version": 99}, containerd_start_timeout=4)
    assert "last lines of its journal" in output
    assert "expected containerd config version" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(containerd_cgroup_driver="cgroups")
    assert "value of containerd_cgroup_driver must be one of: systemd, cgroupfs, got: cgroups" in output
