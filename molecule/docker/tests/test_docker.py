"""Docker and cri-dockerd: how they run, who may talk to them, that they run containers, and bad settings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, unit
from shared.runtime import images, sandbox_states
from testinfra.host import Host
from tests.cluster.support.description import Description


def test_they_run(host: Host) -> None:
    for name in ("docker", "cri-docker"):
        found = unit(host, name)
        assert (found.active, found.enabled, found.user) == ("active", "enabled", "root"), name


def test_cri_dockerd_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["cri-dockerd"]["version"]
    assert host.check_output("readlink /usr/local/bin/cri-dockerd") == f"/opt/kubikk/cri-dockerd/{version}/cri-dockerd"


def test_permissions(host: Host) -> None:
    expected = {
        "/run/docker.sock": "660 root:docker",
        "/run/cri-dockerd.sock": "660 root:root",
        "/etc/docker/daemon.json": "644 root:root",
    }
    assert permissions(host, expected) == expected


def test_nothing_listens_on_the_network(host: Host) -> None:
    addresses = listening(host, "dockerd") | listening(host, "cri-dockerd")
    assert {address.rpartition(":")[0] for address in addresses} <= {"127.0.0.1"}


def test_docker_leaves_the_network_to_others(host: Host) -> None:
    assert "DOCKER" not in host.check_output("iptables-save")
    assert not host.interface("docker0").exists


def test_containers_outlive_a_restart(host: Host) -> None:
    assert json.loads(host.check_output("docker info --format '{{json .LiveRestoreEnabled}}'")) is True


def test_the_images_are_there_without_a_registry(host: Host, cluster: Description) -> None:
    wanted = {cluster.variables["kubikk_artifacts"][name]["ref"] for name in ("image-pause", "image-coredns")}
    assert wanted <= images(host)


def test_a_pod_sandbox_runs(host: Host) -> None:
    assert sandbox_states(host) == ["SANDBOX_READY", "gone"]


@pytest.mark.usefixtures("healed")
def test_a_bad_setting_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(docker_config={"storage-driver": "paper"}, docker_start_timeout=4)
    assert "last lines of its journal" in output
    assert "paper" in output


def test_an_unknown_cgroup_driver_is_refused(refused: Callable[..., str]) -> None:
    output = refused(docker_cgroup_driver="cgroups")
    assert "value of docker_cgroup_driver must be one of: systemd, cgroupfs, got: cgroups" in output
