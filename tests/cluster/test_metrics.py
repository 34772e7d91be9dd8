"""metrics-server: `kubectl top` answers, TLS to and from it is verified, its certificate is renewed."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.cluster.support.access import Access
from tests.cluster.support.api import Api
from tests.cluster.support.description import ClusterHost, Description
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.runs import changes, kubikk, runs
from tests.cluster.support.waiting import until

pytestmark = pytest.mark.timeout(900)

_API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
_METRICS = "/apis/metrics.k8s.io/v1beta1"
_DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/metrics-server"
_SECRET = "/api/v1/namespaces/kube-system/secrets/metrics-server-tls"


def _rows(text: str) -> dict[str, list[str]]:
    """A table of kubectl's without its header, by the first column."""
    return {row[0]: row[1:] for row in (line.split() for line in text.splitlines()[1:])}


def _measured(kubectl: Kubectl, nodes: set[str]) -> dict[str, list[str]]:
    rows = _rows(kubectl.run("top", "nodes"))
    assert set(rows) == nodes
    assert not any("unknown" in cell for row in rows.values() for cell in row)
    return rows


@pytest.fixture(scope="module")
def nodes(cluster: Description) -> set[str]:
    """Names of all nodes."""
    return {host.name for host in cluster.nodes}


def test_top_nodes(kubectl: Kubectl, nodes: set[str]) -> None:
    """Every node, with what it uses: a part of its processors and memory, never nothing."""
    rows = until(lambda: _measured(kubectl, nodes), "kubectl top nodes", within=120, every=2)
    for cpu, _, memory, _ in rows.values():
        assert int(re.fullmatch(r"(\d+)m", cpu)[1]) > 0  # type: ignore[index]
        assert int(re.fullmatch(r"(\d+)Mi", memory)[1]) > 50  # type: ignore[index]


def test_top_pods(kubectl: Kubectl, api: Api) -> None:
    """Every running pod of the system, with the memory it uses."""

    def measured() -> dict[str, list[str]]:
        pods = api.items("/api/v1/namespaces/kube-system/pods", fieldSelector="status.phase=Running")
        rows = _rows(kubectl.run("top", "pods", "--namespace", "kube-system"))
        assert set(rows) == {pod["metadata"]["name"] for pod in pods}
        return rows

    rows = until(measured, "kubectl top pods", within=120, every=2)
    assert {name.rsplit("-", 2)[0] for name in rows} == {"coredns", "metrics-server"}
    assert all(re.fullmatch(r"[1-9]\d*Mi", memory) for _, memory in rows.values())


def test_aggregator_verifies_it(api: Api, cluster: Description, kubectl: Kubectl, nodes: set[str]) -> None:
    """With another authority in the APIService, the API server refuses metrics-server's certificate."""
    spec = api.get(_API_SERVICE)["spec"]
    assert not spec.get("insecureSkipTLSVerify")
    assert base64.b64decode(spec["caBundle"]) == (cluster.pki / "ca.crt").read_bytes()
    until(lambda: _measured(kubectl, nodes), "metrics", within=120)

    def trust(authority: str) -> None:
        bundle = base64.b64encode((cluster.pki / f"{authority}.crt").read_bytes()).decode()
        kubectl.run("patch", "apiservice", "v1beta1.metrics.k8s.io", "-p", json.dumps({"spec": {"caBundle": bundle}}))

    trust("etcd-ca")
    try:
        until(lambda: api.status(f"{_METRICS}/nodes") == 503, "a refusal", within=60)
        reason = until(lambda: _unavailable(api), "the reason", within=90)
        assert "x509" in reason or "certificate" in reason, reason
    finally:
        trust("ca")
    until(lambda: _measured(kubectl, nodes), "metrics again", within=120)


def _unavailable(api: Api) -> str:
    """Why the aggregator calls the API unavailable; "" where it does not."""
    conditions = api.get(_API_SERVICE)["status"]["conditions"]
    return next((str(each["message"]) for each in conditions if each["status"] == "False"), "")


def test_it_verifies_kubelets(
    cluster: Description, access: Access, api: Api, kubectl: Kubectl, nodes: set[str]
) -> None:
    """A kubelet that shows a certificate of its own making is not believed: its node has no metrics."""
    arguments = api.get(_DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["args"]
    assert not any("insecure" in argument for argument in arguments)
    until(lambda: _measured(kubectl, nodes), "metrics", within=120)
    # Another host than metrics-server's own, whose kubelet hands out its log.
    (pod,) = api.items("/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=metrics-server")
    host = next(each for each in cluster.workers if each.name != pod["spec"]["nodeName"])
    folder = "/etc/kubernetes/kubelet"
    subject = f"/CN={host.name}' -addext 'subjectAltName=IP:{host.address}"
    access.output(
        host.name,
        f"cd {folder} && cp -a server.crt server.crt.good && cp -a server.key server.key.good && "
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj '{subject}' -keyout server.key -out server.crt "
        "2>/dev/null && systemctl restart kubelet",
    )
    try:
        until(lambda: _refused(kubectl, host), "metrics-server's complaint", within=90, every=2)
    finally:
        access.output(
            host.name,
            f"cd {folder} && mv server.crt.good server.crt && mv server.key.good server.key && "
            "systemctl restart kubelet",
        )
    until(lambda: _measured(kubectl, nodes), "metrics again", within=120)


def _refused(kubectl: Kubectl, host: ClusterHost) -> bool:
    log = kubectl.run("logs", "--namespace", "kube-system", "deployment/metrics-server", "--since=60s")
    return any(host.address in line and "x509" in line for line in log.splitlines())


def _serial(cluster: Description, access: Access, api: Api) -> int:
    """The serial number of the certificate that metrics-server shows."""
    service = api.get("/api/v1/namespaces/kube-system/services/metrics-server")["spec"]["clusterIP"]
    program = f"import ssl; print(ssl.get_server_certificate(('{service}', 443)))"
    pem = access.output(cluster.control_planes[0].name, f"python3 -c {shlex.quote(program)}")
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_renewed_certificate_arrives(cluster: Description, access: Access, api: Api) -> None:
    """A new certificate reaches the running pod, and its key reaches no log."""
    pods = {"labelSelector": "k8s-app=metrics-server"}
    before = [pod["metadata"]["uid"] for pod in api.items("/api/v1/namespaces/kube-system/pods", **pods)]
    old = _serial(cluster, access, api)
    (cluster.pki / "metrics-server.crt").unlink()
    done = kubikk("up", "-f", str(cluster.cluster_file))
    assert done.returncode == 0, done.stdout
    run = runs(cluster.directory)[-1]
    assert [line.split(":")[1].strip() for line in changes(run)] == ["addons"]
    key = (cluster.pki / "metrics-server.key").read_bytes()
    pieces = [line for line in key.decode().splitlines() if not line.startswith("-")] + [
        base64.b64encode(key).decode()[:60]
    ]
    texts = [done.stdout, *(path.read_text(errors="replace") for path in run.iterdir() if path.is_file())]
    journal = access.output(cluster.control_planes[0].name, "journalctl --no-pager --since=-5min")
    assert not any(piece in text for text in [*texts, journal] for piece in pieces)
    stored = base64.b64decode(api.get(_SECRET)["data"]["tls.crt"])
    assert stored == (cluster.pki / "metrics-server.crt").read_bytes()
    new = x509.load_pem_x509_certificate(stored).serial_number
    assert new != old
    # kubelet looks at Secrets every minute or so.
    until(lambda: _serial(cluster, access, api) == new, "the new certificate in use", within=180, every=3)
    assert [pod["metadata"]["uid"] for pod in api.items("/api/v1/namespaces/kube-system/pods", **pods)] == before


def test_turned_off_and_on(cluster: Description, api: Api, kubectl: Kubectl, nodes: set[str]) -> None:
    """Off, nothing is left of it in the API, and whatever is not Kubikk's stays."""
    original = cluster.cluster_file.read_text()
    kubectl.run("label", "clusterrole", "system:aggregated-metrics-reader", "app.kubernetes.io/managed-by-")
    content: dict[str, Any] = yaml.safe_load(original)
    try:
        content["addons"] = {**content.get("addons", {}), "metrics_server": False}
        cluster.cluster_file.write_text(yaml.safe_dump(content, sort_keys=False))
        off = kubikk("up", "-f", str(cluster.cluster_file))
        assert off.returncode == 0, off.stdout
        for path in (_API_SERVICE, _DEPLOYMENT, _SECRET):
            until(lambda path=path: api.status(path) == 404, f"{path} is gone", within=30)  # type: ignore[misc]
        assert api.status("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:aggregated-metrics-reader") == 200
    finally:
        cluster.cluster_file.write_text(original)
        on = kubikk("up", "-f", str(cluster.cluster_file))
    assert on.returncode == 0, on.stdout
    until(lambda: _measured(kubectl, nodes), "metrics again", within=120, every=2)
