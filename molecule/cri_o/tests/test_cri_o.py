"""CRI-O: how it runs, who may talk to it, which images it has, that it runs containers, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, unit
from shared.runtime import images, sandbox_states
from testinfra.host import Host
from tests.cluster.support.description import Description


def test_it_runs(host: Host) -> None:
    found = unit(host, "crio")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["cri-o"]["version"]
    assert host.check_output("readlink /usr/local/bin/crio") == f"/opt/kubikk/cri-o/{version}/crio"
    assert f"crio version {version.removeprefix('v')}" in host.check_output("crio --version").splitlines()


def test_permissions(host: Host) -> None:
    expected = {
        "/run/crio/crio.sock": "660 root:root",
        "/etc/crio/crio.conf.d/10-kubikk.conf": "644 root:root",
        "/etc/crio/policy.json": "644 root:root",
    }
    assert permissions(host, expected) == expected


def test_nothing_listens_on_the_network(host: Host) -> None:
    assert {address.rpartition(":")[0] for address in listening(host, "crio")} <= {"127.0.0.1"}


def test_the_images_are_there_without_a_registry(host: Host, cluster: Description) -> None:
    wanted = {cluster.variables["kubikk_artifacts"][name]["ref"] for name in ("image-pause", "image-coredns")}
    assert wanted <= images(host)


def test_a_pod_sandbox_runs(host: Host) -> None:
    assert sandbox_states(host) == ["SANDBOX_READY", "gone"]


@pytest.mark.usefixtures("healed")
def test_a_bad_setting_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(cri_o_config={"crio": {"runtime": {"cgroup_manager": "nobody"}}}, cri_o_start_timeout=4)
    assert "last lines of its journal" in output
    assert "cgroup manager" in output


def test_an_unknown_cgroup_driver_is_refused(refused: Callable[..., str]) -> None:
    output = refused(cri_o_cgroup_driver="cgroups")
    assert "value of cri_o_cgroup_driver must be one of: systemd, cgroupfs, got: cgroups" in output
