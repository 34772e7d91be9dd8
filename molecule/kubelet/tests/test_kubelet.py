"""kubelet beside an API server and a runtime: how it runs, who gets in, what it registers, and bad settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shared.hosts import listening, permissions, status, unit
from testinfra.host import Host
from tests.cluster.support.api import Api
from tests.cluster.support.description import Description
from tests.cluster.support.waiting import until

_DIRECTORY = "/etc/kubernetes/kubelet"


def test_it_runs(host: Host) -> None:
    found = unit(host, "kubelet")
    assert (found.active, found.enabled, found.user) == ("active", "enabled", "root")


def test_it_is_the_version_that_was_asked_for(host: Host, cluster: Description) -> None:
    version = cluster.variables["kubikk_artifacts"]["kubelet"]["version"]
    assert host.check_output("kubelet --version") == f"Kubernetes v{version.removeprefix('v')}"


def test_permissions(host: Host) -> None:
    expected = {
        _DIRECTORY: "750 root:root",
        f"{_DIRECTORY}/config.yaml": "644 root:root",
        f"{_DIRECTORY}/server.key": "600 root:root",
        "/var/lib/kubelet": "750 root:root",
        "/var/lib/kubelet/pki": "700 root:root",
        "/var/lib/kubelet/pki/kubelet-client-current.pem": "600 root:root",
    }
    assert permissions(host, expected) == expected


def test_sockets(host: Host) -> None:
    assert listening(host, "kubelet") == {"127.0.0.1:10248", "*:10250"}


def test_health(host: Host) -> None:
    assert status(host, "http://127.0.0.1:10248/healthz") == 200


def test_strangers_are_kept_out(host: Host) -> None:
    verified = ("--cacert", f"{_DIRECTORY}/ca.crt")
    address = host.ansible.get_variables()["kubikk_host"]["address"]
    assert status(host, f"https://{address}:10250/pods", *verified) == 401


def test_it_registers_its_node(api: Api, cluster: Description) -> None:
    node = until(lambda: api.get("/api/v1/nodes/cp1"), "the node is registered", within=30)
    assert {"type": "InternalIP", "address": cluster.hosts["cp1"].address} in node["status"]["addresses"]
    # No pod slips in before a control-plane node is tainted: kubelet registers it so.
    assert "node-role.kubernetes.io/control-plane" in {taint["key"] for taint in node["spec"]["taints"]}


def test_its_client_certificate_is_written_once(host: Host, converge_with: Callable[..., tuple[int, str]]) -> None:
    """kubelet renews it by itself: the role must not put the old one back."""
    path = "/var/lib/kubelet/pki/kubelet-client-current.pem"
    host.check_output(f"echo '# renewed' >>{path}")
    code, output = converge_with()
    assert code == 0, output
    assert host.check_output(f"tail -n 1 {path}") == "# renewed"


@pytest.mark.usefixtures("healed")
def test_a_bad_flag_fails_with_the_journal(refused: Callable[..., str]) -> None:
    output = refused(kubelet_flags={"no-such-flag": "x"}, kubelet_start_timeout=4)
    assert "last lines of its journal" in output
    assert "unknown flag: --no-such-flag" in output


def test_a_wrong_type_is_refused(refused: Callable[..., str]) -> None:
    output = refused(kubelet_start_timeout="soon")
    assert "kubelet_start_timeout" in output
    assert "cannot be converted to an int" in output
