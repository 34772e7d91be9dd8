"""AWS's cloud-controller-manager beside an API server: how it runs, who gets in, how it goes, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_NAME = "cloud-controller-manager"
_DIRECTORY = f"/etc/kubernetes/{_NAME}"
_SERVER = "https://127.0.0.1:10258"


def test_it_runs(host: Host) -> None:
    found = unit(host, _NAME)
    assert (found.active, found.enabled, found.user) == ("active", "enabled", _NAME)


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["aws-cloud-controller-manager"]["version"]
    assert host.check_output(f"readlink /usr/local/bin/{_NAME}") == f"/opt/kubikk/{_NAME}/{version}/{_NAME}"


def test_permissions(host: Host) -> None:
    expected = {
        _DIRECTORY: f"750 {_NAME}:{_NAME}",
        f"{_DIRECTORY}/client.key": f"600 {_NAME}:{_NAME}",
        f"{_DIRECTORY}/server.key": f"600 {_NAME}:{_NAME}",
        f"{_DIRECTORY}/cloud.conf": f"600 {_NAME}:{_NAME}",
        f"{_DIRECTORY}/environment": "600 root:root",
    }
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, _NAME) == {"127.0.0.1:10258"}


def test_strangers_see_its_health_only(host: Host) -> None:
    verified = ("--cacert", f"{_DIRECTORY}/ca.crt")
    assert status(host, f"{_SERVER}/healthz", *verified) == 200
    assert status(host, f"{_SERVER}/metrics", *verified) in (401, 403)


def test_it_leads(api: Api) -> None:
    lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{_NAME}"
    holder = until(lambda: api.get(lease)["spec"].get("holderIdentity"), "somebody leads", within=30)
    assert holder.startswith("cp1_")


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal_and_without_credentials(refused: Callable[..., str]) -> None:
    output = refused(cloud_controller_manager_flags={"no-such-flag": "x"}, cloud_controller_manager_start_timeout=4)
    assert "last lines of its journal" in output
    assert "unknown flag: --no-such-flag" in output
    assert "sesame" not in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(cloud_controller_manager_start_timeout="soon")
    assert "cloud_controller_manager_start_timeout" in output
    assert "cannot be converted to an int" in output


@pytest.mark.usefixtures("healed")
def test_it_goes_with_its_keys(host: Host, converge_with: Callable[..., tuple[int, str]]) -> None:
    code, output = converge_with(cloud_controller_manager_enabled=False)
    assert code == 0, output
    assert unit(host, _NAME).enabled == ""
    # The program stays, as versions that are not used any longer do.
    assert host.check_output(f"find {_DIRECTORY} -type f") == ""
    assert not host.file(f"/usr/local/bin/{_NAME}").exists
