"""What reaches a pod through its kubelet: exec, logs, port-forward; and who may ask a kubelet."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.cluster.support.api import Api, tls
from tests.cluster.support.description import ClusterHost, Description
from tests.cluster.support.kubectl import Kubectl
from tests.cluster.support.probes import HTTP_PORT, Probes
from tests.cluster.support.waiting import until


def _kubelet(cluster: Description, host: ClusterHost, pair: str | None) -> Api:
    """A host's kubelet, asked with a certificate out of the PKI directory."""
    return Api(f"https://{host.address}:10250", tls(cluster.pki / "ca.crt", cluster.pki / pair if pair else None))


@contextmanager
def _forwarded(kubectl: Kubectl, namespace: str, pod: str, port: int) -> Iterator[int]:
    """The local port that leads to a pod's."""
    command = kubectl.command("port-forward", "--namespace", namespace, pod, f":{port}", "--address=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"port-forward to {pod}: {line}"
            yield int(found[1])
        finally:
            process.terminate()


def test_exec(kubectl: Kubectl, probes: Probes) -> None:
    for pod in probes.pods.values():
        assert kubectl.execute(probes.namespace, pod.name, "hostname") == f"{pod.name}\n"


def test_exec_passes_input_and_exit_codes(kubectl: Kubectl, probes: Probes) -> None:
    for pod in probes.pods.values():
        into = ["exec", "--namespace", probes.namespace, "--stdin", pod.name, "--"]
        assert kubectl.run(*into, "wc", "-c", given="x" * 100_000).strip() == "100000"
        failing = kubectl.command(*into, "sh", "-c", "exit 7")
        assert subprocess.run(failing, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 7


def test_logs(kubectl: Kubectl, probes: Probes) -> None:
    for pod in probes.pods.values():
        assert "Started HTTP server" in kubectl.run("logs", "--namespace", probes.namespace, pod.name)


def test_port_forward(kubectl: Kubectl, probes: Probes) -> None:
    for pod in probes.pods.values():
        with _forwarded(kubectl, probes.namespace, pod.name, HTTP_PORT) as port:
            for _ in range(3):
                answer = httpx.get(f"http://127.0.0.1:{port}/hostname", timeout=10, trust_env=False)
                assert answer.text == pod.name
    with socket.socket() as sock:
        sock.settimeout(2)
        until(lambda: sock.connect_ex(("127.0.0.1", port)) != 0, "the forwarded port is closed", within=10)


def test_kubelets_ask_who_is_there(cluster: Description, subtests: pytest.Subtests) -> None:
    for host in cluster.nodes:
        with subtests.test(host=host.name):
            assert _kubelet(cluster, host, None).status("/pods") == 401
            # A certificate says who, the API server says whether: nobody allowed kube-proxy to list pods.
            assert _kubelet(cluster, host, f"kubelet/{host.name}/kube-proxy").status("/pods") == 403
            assert _kubelet(cluster, host, "admin").status("/pods") == 200


def test_a_kubelet_may_not_ask_another(cluster: Description) -> None:
    first, second = cluster.nodes[:2]
    assert _kubelet(cluster, second, f"kubelet/{first.name}/client").status("/pods") == 403


def test_no_read_only_port(cluster: Description) -> None:
    for host in cluster.nodes:
        with socket.socket() as sock:
            sock.settimeout(3)
            assert sock.connect_ex((host.address, 10255)) != 0
