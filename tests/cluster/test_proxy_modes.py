"""kube-proxy's modes: one that the kernel lacks is refused, and a change of mode leaves nothing of the old one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, events, kubikk, runs

pytestmark = pytest.mark.timeout(1200)

# What each mode leaves in the kernel, as a command that prints it. kubelet's own chains are no concern of it.
_TRACES = {
    "iptables": "iptables-save | grep -E -e '-j KUBE-(SERVICES|POSTROUTING|FORWARD)|^:KUBE-(SVC|SEP|PROXY)' || true",
    "nftables": "nft list tables | grep kube-proxy || true",
}
_API = "https://10.96.0.1/readyz"


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A small cluster, in the default mode."""
    directory = tmp_path_factory.mktemp("modes")
    with own_lab(f"{lab_name}-modes", directory, control_planes=1, workers=1) as own:
        first = kubikk("up", "-f", str(own.file))
        assert first.returncode == 0, first.stdout
        yield own


def _hosts(own: OwnLab) -> list[str]:
    return [host.name for host in own.lab.hosts()]


def _set_mode(own: OwnLab, mode: str) -> None:
    def change(content: dict[str, Any]) -> None:
        content["kube_proxy"] = {"mode": mode}

    own.edit(change)


def _switch(own: OwnLab, mode: str) -> None:
    """Changes the mode, and looks at what that did: to kube-proxy and nothing else, and nothing the second time."""
    _set_mode(own, mode)
    done = kubikk("up", "-f", str(own.file))
    assert done.returncode == 0, done.stdout
    restarted = [line for line in changes(runs(own.directory)[-1]) if "'restarted': []" not in line]
    assert restarted
    assert all("kube_proxy" in line for line in restarted), restarted
    again = kubikk("up", "-f", str(own.file))
    assert again.returncode == 0, again.stdout
    assert changes(runs(own.directory)[-1]) == []


def _assert_runs_in(own: OwnLab, mode: str) -> None:
    """Says so, directs requests to Services, over TCP and UDP, and has left nothing of the other mode."""
    other = next(name for name in _TRACES if name != mode)
    for host in _hosts(own):
        assert own.run(host, "curl -sS http://127.0.0.1:10249/proxyMode") == mode
        assert own.run(host, f"curl -sS --max-time 5 --cacert /etc/kubernetes/kubelet/ca.crt {_API}") == "ok"
        assert own.run(host, _TRACES[mode]).strip()
        assert own.run(host, _TRACES[other]).strip() == ""
    name = "kubernetes.default.svc.cluster.local"
    asked = f"""python3 - <<'END'
import socket
query = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6)
query += b"".join(bytes([len(part)]) + part.encode() for part in "{name}".split(".")) + b"\\x00\\x00\\x01\\x00\\x01"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.sendto(query, ("10.96.0.10", 53))
    print(socket.inet_ntoa(client.recv(512)[-4:]))
END"""
    assert own.run(_hosts(own)[-1], asked).strip() == "10.96.0.1"


def test_mode_without_kernel_is_refused(own: OwnLab) -> None:
    """ipvs, on this kernel: nothing is touched, and the operator is told why and what to do."""
    if own.run(_hosts(own)[0], "test -e /proc/net/ip_vs || modprobe --dry-run --quiet ip_vs && echo has it || true"):
        pytest.fail("this kernel has ip_vs: the refusal cannot be seen here")
    _set_mode(own, "ipvs")
    refused = kubikk("up", "-f", str(own.file))
    assert refused.returncode == 1, refused.stdout
    assert "the kernel lacks ip_vs, for kube-proxy's mode ipvs" in " ".join(refused.stdout.split())
    assert "kube_proxy.mode: iptables" in refused.stdout
    assert not any(event.get("host") for event in events(runs(own.directory)[-1]))


def test_there_and_back(own: OwnLab) -> None:
    _set_mode(own, "iptables")
    _assert_runs_in(own, "iptables")
    _switch(own, "nftables")
    _assert_runs_in(own, "nftables")
    _switch(own, "iptables")
    _assert_runs_in(own, "iptables")


def test_reset_takes_nftables_away(own: OwnLab) -> None:
    _switch(own, "nftables")
    _assert_runs_in(own, "nftables")
    done = kubikk("reset", "--yes", "-f", str(own.file))
    assert done.returncode == 0, done.stdout
    for host in _hosts(own):
        assert own.run(host, "nft list tables | grep kube-proxy || true") == ""
        assert own.run(host, "iptables-save | grep KUBE- || true") == ""
