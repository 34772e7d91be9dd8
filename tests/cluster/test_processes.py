"""Control-plane processes: their users, what they show of themselves, and the audit log."""

from __future__ import annotations

import json
import secrets

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api, administrator
from tests.cluster.support.description import Description
from tests.cluster.support.units import CONTROL_PLANE, main_process
from tests.cluster.support.waiting import until

_AUDIT_LOG = "/var/log/kube-apiserver/audit.log"
_CURL = (
    "curl -s -o /dev/null -w '%{{http_code}}' --cacert /etc/kubernetes/admin/ca.crt "
    "--cert /etc/kubernetes/admin/admin.crt --key /etc/kubernetes/admin/admin.key {url}"
)


def _arguments(access: Access, host: str, unit: str) -> list[str]:
    return access.output(host, f"tr '\\0' '\\n' </proc/{main_process(access, host, unit)}/cmdline").splitlines()


def test_processes_are_not_root_s(cluster: Description, access: Access) -> None:
    units = [(host.name, "etcd") for host in cluster.etcd_hosts]
    units += [(host.name, unit) for host in cluster.control_planes for unit in CONTROL_PLANE]
    for host, unit in units:
        process = main_process(access, host, unit)
        assert access.output(host, f"stat -c %U /proc/{process}") == unit
        assert access.output(host, f"grep NoNewPrivs /proc/{process}/status").split()[1] == "1"


def test_no_secret_on_a_command_line(cluster: Description, access: Access) -> None:
    encryption = (cluster.pki / "encryption.key").read_text().strip()
    for host in cluster.control_planes:
        assert encryption not in access.output(host.name, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_profiling_is_off(cluster: Description, access: Access) -> None:
    for host in cluster.control_planes:
        for port in (cluster.api_port, 10257, 10259):
            base = f"https://127.0.0.1:{port}"
            # The administrator may ask: it is not for lack of rights that there is nothing.
            assert access.output(host.name, _CURL.format(url=f"{base}/metrics")) == "200"
            assert access.output(host.name, _CURL.format(url=f"{base}/debug/pprof/")) == "404"


def test_kubelet_and_kube_proxy_have_no_profiling_either(cluster: Description, access: Access) -> None:
    for host in cluster.nodes:
        kubelet = administrator(f"https://{host.address}:10250", cluster.pki)
        assert kubelet.status("/metrics") == 200
        assert kubelet.status("/debug/pprof/") in (404, 405)
        proxy = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:10249/debug/pprof/"
        assert access.output(host.name, proxy) == "404"


def test_requests_are_audited(cluster: Description, access: Access, api: Api, namespace: str) -> None:
    """Who did what is written down, what was in it is not."""
    name, word = f"audited-{secrets.token_hex(4)}", secrets.token_hex(16)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"key": word}}
    api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    host = cluster.control_planes[0].name

    def lines() -> list[str]:
        return access.output(host, f"grep -F {name} {_AUDIT_LOG}; true").splitlines()

    entries = [json.loads(line) for line in until(lines, "the request is in the audit log", within=20)]
    created = [entry for entry in entries if entry["verb"] == "create" and entry["objectRef"]["resource"] == "secrets"]
    assert created
    assert created[0]["user"]["username"] == "kubernetes-admin"
    assert all(word not in json.dumps(entry) for entry in entries)
    assert not access.succeeds(host, f"grep -qF {word} {_AUDIT_LOG}")


def test_the_audit_log_is_rotated(cluster: Description, access: Access) -> None:
    for host in cluster.control_planes:
        flags = dict(
            argument.lstrip("-").split("=", 1)
            for argument in _arguments(access, host.name, "kube-apiserver")
            if argument.startswith("--audit-log-max")
        )
        assert set(flags) == {"audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"}
        assert all(int(value) > 0 for value in flags.values())


def test_the_api_server_authorizes(cluster: Description, access: Access) -> None:
    for host in cluster.control_planes:
        arguments = _arguments(access, host.name, "kube-apiserver")
        assert "--authorization-mode=Node,RBAC" in arguments
        assert "--enable-admission-plugins=NodeRestriction" in arguments
        assert "--tls-min-version=VersionTLS12" in arguments
