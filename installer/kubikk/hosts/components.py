"""How to tell whether each component on a host is well."""

from __future__ import annotations

from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.hosts.layout import services

BINARIES = "/usr/local/bin"
_KUBERNETES = "/etc/kubernetes"

CERTIFICATES = (
    "/etc/etcd/pki/*.crt",
    "/etc/kubernetes/*/*.crt",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
)
"""Where certificates lie on hosts."""

# systemd service -> name of the component, and name of its binary, where it is another.
_NAMES = {"crio": "cri-o", "cri-docker": "cri-dockerd", "flanneld": "flannel"}
_PROGRAMS = {"cri-docker": "cri-dockerd"}
# systemd service of the distribution -> what tells its version.
_OF_THE_DISTRIBUTION = {
    "docker": ["/usr/bin/docker", "--version"],
    "haproxy": ["/usr/sbin/haproxy", "-v"],
    "keepalived": ["/usr/sbin/keepalived", "-v"],
}


def question(cluster: Cluster, host: Host) -> dict[str, Any]:
    """What a host is asked, as ``programs/components.py`` wants it."""
    checks = _checks(cluster)
    components = []
    for unit in services(cluster, host):
        component: dict[str, Any] = {
            "name": _NAMES.get(unit, unit),
            "unit": unit,
            "binary": f"{BINARIES}/{_PROGRAMS.get(unit, unit)}",
            "health": checks[unit],
        }
        if unit in _OF_THE_DISTRIBUTION:
            component["version"] = _OF_THE_DISTRIBUTION[unit]
        components.append(component)
    return {"components": components, "certificates": list(CERTIFICATES)}


def _checks(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """A health check for every service; all of them stay on the host."""
    port = cluster.api.port
    return {
        "etcd": {
            "url": "https://127.0.0.1:2379/health",
            "ca": "/etc/etcd/pki/ca.crt",
            "cert": "/etc/etcd/pki/healthcheck.crt",
            "key": "/etc/etcd/pki/healthcheck.key",
            "expect": '"health":"true"',
        },
        "kube-apiserver": _https(port, "readyz", f"{_KUBERNETES}/kube-apiserver/ca.crt"),
        "kube-controller-manager": _https(10257, "healthz", f"{_KUBERNETES}/kube-controller-manager/ca.crt"),
        "kube-scheduler": _https(10259, "healthz", f"{_KUBERNETES}/kube-scheduler/ca.crt"),
        "cloud-controller-manager": _https(10258, "healthz", f"{_KUBERNETES}/cloud-controller-manager/ca.crt"),
        "containerd": {"command": [f"{BINARIES}/ctr", "version"]},
        "crio": _cri("/run/crio/crio.sock"),
        "docker": {"command": ["/usr/bin/docker", "version"]},
        "cri-docker": _cri("/run/cri-dockerd.sock"),
        "kubelet": {"url": "http://127.0.0.1:10248/healthz", "expect": "ok"},
        "kube-proxy": {"url": "http://127.0.0.1:10256/healthz"},
        # It has no endpoint; without this file, no pod gets an address.
        "flanneld": {"file": "/run/flannel/subnet.env"},
        "haproxy": _https(port, "readyz", "/etc/haproxy/kubikk-ca.crt"),
        "keepalived": {"command": ["/usr/bin/systemctl", "is-active", "keepalived.service"]},
    }


def _https(port: int, path: str, ca: str) -> dict[str, Any]:
    return {"url": f"https://127.0.0.1:{port}/{path}", "ca": ca, "expect": "ok"}


def _cri(socket: str) -> dict[str, Any]:
    return {"command": [f"{BINARIES}/crictl", "--runtime-endpoint", f"unix://{socket}", "version"]}
