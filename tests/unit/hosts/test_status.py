"""Status: what hosts and the API say, and what is made of it."""

from __future__ import annotations

import http.server
import importlib
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kubikk.errors import KubikkError
from kubikk.hosts import status as status_function
from kubikk.hosts.components import question
from kubikk.hosts.nodes import NodeStatus, nodes, read_node
from kubikk.hosts.probes import Connections
from kubikk.hosts.programs import source
from kubikk.hosts.ssh import Answer
from kubikk.hosts.status import ClusterStatus, ComponentStatus, HostStatus, read_host
from kubikk.pki import ensure

from .samples import host, make_cluster

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample cluster's PKI."""
    directory = tmp_path_factory.mktemp("cluster") / "pki"
    ensure(make_cluster(), directory, now=NOW)
    return directory


SERVICES = [
    ("cp1", {}, "etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet flannel kube-proxy"),
    ("w1", {}, "containerd haproxy kubelet flannel kube-proxy"),
    ("w1", {"runtime": "cri-o"}, "cri-o haproxy kubelet flannel kube-proxy"),
    ("w1", {"runtime": "docker"}, "docker cri-dockerd haproxy kubelet flannel kube-proxy"),
    ("w1", {"network": {"plugin": "none"}}, "containerd haproxy kubelet kube-proxy"),
    ("w1", {"api": {"load_balancer": "external", "endpoint": "api.test"}}, "containerd kubelet flannel kube-proxy"),
    (
        "cp1",
        {"api": {"load_balancer": "keepalived", "endpoint": "10.0.0.9"}},
        "etcd kube-apiserver kube-controller-manager kube-scheduler keepalived containerd kubelet flannel kube-proxy",
    ),
]


@pytest.mark.parametrize(("name", "settings", "expected"), SERVICES)
def test_what_is_asked(name: str, settings: dict[str, Any], expected: str) -> None:
    cluster = make_cluster(**settings)
    asked = question(cluster, host(cluster, name))
    assert [component["name"] for component in asked["components"]] == expected.split()
    assert all(component["health"] for component in asked["components"])


def component(**changes: Any) -> dict[str, Any]:
    """What a host says of a component that is well."""
    well = {"installed": True, "active": "active", "detail": "running", "enabled": True, "restarts": 0}
    return {**well, "seconds": 60.0, "version": "1.37.2", "problem": "", **changes}


COMPONENTS: list[tuple[dict[str, Any], bool, str]] = [
    ({}, True, ""),
    ({"active": "failed"}, False, ""),
    ({"active": "activating", "seconds": None}, False, ""),
    ({"problem": "answers 500: [-]etcd failed"}, False, "answers 500: [-]etcd failed"),
    ({"installed": False, "active": "inactive", "problem": "x does not exist"}, False, "it is not installed"),
]


@pytest.mark.parametrize(("changes", "healthy", "problem"), COMPONENTS)
def test_components(changes: dict[str, Any], healthy: bool, problem: str) -> None:
    answer = Answer({"components": {"kubelet": component(**changes)}, "certificates": {}}, 0, 0)
    cluster = make_cluster()
    found = read_host(host(cluster, "w1"), answer, NOW)
    assert (found.healthy, found.components[0].problem) == (healthy, problem)
    since = NOW - timedelta(seconds=60) if component(**changes)["active"] == "active" else None
    assert found.components[0].since == since


def test_host_with_certificates(pki: Path) -> None:
    path = "/etc/kubernetes/kubelet/server.crt"
    content = (pki / "kubelet/w1/server.crt").read_text()
    answer = Answer({"components": {"kubelet": component()}, "certificates": {path: content}}, 0, 0)
    found = read_host(host(make_cluster(), "w1"), answer, NOW)
    assert [(entry.path, entry.common_name) for entry in found.certificates] == [(path, "system:node:w1")]
    said = json.loads(json.dumps(found.to_dict()))
    assert said["components"][0]["healthy"] is True
    assert said["certificates"][0]["names"] == ["w1", "10.0.0.21"]


def test_host_that_does_not_answer() -> None:
    found = read_host(host(make_cluster(), "w1"), KubikkError("w1 is off", cause="no answer"), NOW)
    assert not found.healthy
    assert found.to_dict()["error"] == {
        "code": None,
        "message": "w1 is off",
        "host": None,
        "cause": "no answer",
        "journal": [],
        "remedy": None,
    }


def well(name: str, *roles: str, **changes: Any) -> HostStatus:
    one = ComponentStatus("kubelet", True, "active", True, NOW, 0, "1.37.2", "")
    return HostStatus(name, "10.0.0.1", roles or ("worker",), **{"components": (one,), **changes})


def node(name: str, *, ready: bool = True) -> NodeStatus:
    return NodeStatus(name, ready, "", "v1.37.2", True, "10.244.0.0/24")


CLUSTERS: list[tuple[list[HostStatus], list[NodeStatus], KubikkError | None, bool]] = [
    ([well("a"), well("e", "etcd")], [node("a")], None, True),
    ([well("a"), well("b")], [node("a")], None, False),
    ([well("a")], [node("a", ready=False)], None, False),
    ([well("a", error=KubikkError("off"))], [node("a")], None, False),
    ([well("a")], [], KubikkError("no answer"), False),
    ([well("a")], [node("a"), node("removed", ready=False)], None, True),
]


@pytest.mark.parametrize(("hosts", "known", "error", "healthy"), CLUSTERS)
def test_cluster(hosts: list[HostStatus], known: list[NodeStatus], error: KubikkError | None, healthy: bool) -> None:
    found = ClusterStatus("prod", NOW, tuple(hosts), tuple(known), error, ())
    assert found.healthy is healthy
    assert json.loads(json.dumps(found.to_dict()))["healthy"] is healthy


def test_status_of_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pki: Path) -> None:
    """Neither a host nor the API answers: that is the result."""

    @contextmanager
    def nobody(cluster: Any, become_password: str | None) -> Iterator[Connections]:
        yield Connections({}, {entry.name: KubikkError(f"{entry.name} is off") for entry in cluster.hosts})

    monkeypatch.setattr(importlib.import_module("kubikk.hosts.status"), "connections", nobody)
    monkeypatch.setattr("kubikk.hosts.nodes.endpoints", lambda _: {"a": "https://127.0.0.1:1"})
    found = status_function(make_cluster(), pki.parent)
    assert not found.healthy
    assert [entry.error.message for entry in found.hosts if entry.error][:2] == ["cp1 is off", "cp2 is off"]
    assert found.api_error
    assert "https://127.0.0.1:1: " in (found.api_error.cause or "")
    assert found.expiring(timedelta(days=30)) == ()
    soon = found.expiring(timedelta(days=366))
    assert len(soon) == len([entry for entry in found.certificates if not entry.is_authority])
    without = status_function(make_cluster(), tmp_path)
    assert without.api_error
    assert "administrator's certificate" in without.api_error.message


NODE: dict[str, Any] = {
    "metadata": {"name": "w1"},
    "spec": {"podCIDR": "10.244.3.0/24"},
    "status": {"nodeInfo": {"kubeletVersion": "v1.37.2"}, "conditions": [{"type": "Ready", "status": "True"}]},
}
NOT_READY = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (NODE, NodeStatus("w1", True, "", "v1.37.2", True, "10.244.3.0/24")),
        (
            {**NODE, "spec": {"unschedulable": True}, "status": {"conditions": [NOT_READY]}},
            NodeStatus("w1", False, "Kubelet stopped posting node status.", "", False, ""),
        ),
        (
            {**NODE, "status": {}},
            NodeStatus("w1", False, "kubelet has not reported yet", "", True, "10.244.3.0/24"),
        ),
    ],
)
def test_node(item: dict[str, Any], expected: NodeStatus) -> None:
    assert read_node(item) == expected


class _Api(http.server.BaseHTTPRequestHandler):
    """An API server that asks for a certificate."""

    def do_GET(self) -> None:
        subject = dict(part[0] for part in self.connection.getpeercert()["subject"])
        allowed = subject.get("organizationName") == "system:masters" and self.path == "/api/v1/nodes"
        self.send_response(200 if allowed else 403)
        self.end_headers()
        self.wfile.write(json.dumps({"items": [NODE]}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """An HTTP server; gives its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_asks_the_api(pki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pki / "control-plane/cp1/apiserver.crt", pki / "control-plane/cp1/apiserver.key")
    # A proxy of the user's own is none of the cluster's business.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with serving(_Api, context) as port:
        servers = {"down": "https://127.0.0.1:1", "up": f"https://127.0.0.1:{port}"}
        monkeypatch.setattr("kubikk.hosts.nodes.endpoints", lambda _: servers)
        assert [entry.name for entry in nodes(make_cluster(), pki)] == ["w1"]


class _Health(http.server.BaseHTTPRequestHandler):
    """Health endpoints, good and bad."""

    def do_GET(self) -> None:
        self.send_response(500 if self.path == "/bad" else 200)
        self.end_headers()
        self.wfile.write(b"[+]ping ok\n[-]etcd failed: reason withheld\n" if self.path == "/bad" else b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def test_program(pki: Path, tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_text((pki / "admin.key").read_text() + (pki / "admin.crt").read_text())
    (tmp_path / "none.pem").write_text("nothing")
    with serving(_Health) as port:
        url = f"http://127.0.0.1:{port}"
        checks: dict[str, tuple[dict[str, Any] | None, str]] = {
            "good": ({"url": f"{url}/", "expect": "ok"}, ""),
            "other": ({"url": f"{url}/", "expect": "fine"}, "answers ok"),
            "bad": ({"url": f"{url}/bad"}, "answers 500: [-]etcd failed: reason withheld"),
            "closed": ({"url": "http://127.0.0.1:1/"}, "does not answer: [Errno 111] Connection refused"),
            "ca": ({"url": "https://127.0.0.1:1/", "ca": "/no/ca.crt"}, "/no/ca.crt does not exist"),
            "file": ({"file": str(tmp_path)}, ""),
            "no file": ({"file": "/no/file"}, "/no/file does not exist"),
            "command": ({"command": ["true"]}, ""),
            "failing": ({"command": ["sh", "-c", "echo why >&2; exit 3"]}, "why"),
            "silent": ({"command": ["false"]}, "exit status 1"),
            "missing": ({"command": ["/no/command"]}, "/no/command does not exist"),
            "none": (None, ""),
        }
        asked = [
            {"name": name, "unit": f"no-such-{name}", "binary": "/usr/local/bin/no-such", "health": check}
            for name, (check, _) in checks.items()
        ]
        data = {"components": asked, "certificates": [f"{tmp_path}/*.pem"]}
        text = f"INPUT = {data!r}\n" + source("components").replace("from __future__ import annotations", "")
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert {name: said["problem"] for name, said in answer["components"].items()} == {
        name: problem for name, (_, problem) in checks.items()
    }
    # The certificate, and not the key beside it.
    assert answer["certificates"] == {str(tmp_path / "both.pem"): (pki / "admin.crt").read_text()}
    assert "PRIVATE" not in done.stdout
