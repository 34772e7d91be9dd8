"""Container runtimes: what each consists of on a host."""

from __future__ import annotations

# units: the first is the one that kubelet finds the runtime at. Kubikk's file of it tells that the runtime is there.
# paths: what is Kubikk's or holds containers. Packages of the distribution stay, and programs that runtimes share.
RUNTIMES = {
    "containerd": {
        "units": ["containerd"],
        "socket": "unix:///run/containerd/containerd.sock",
        "paths": [
            "/etc/containerd",
            "/opt/kubikk/containerd",
            "/run/containerd",
            "/var/lib/containerd",
        ],
    },
    "cri-o": {
        "units": ["crio"],
        "socket": "unix:///run/crio/crio.sock",
        "paths": [
            "/etc/crio",
            "/opt/kubikk/cri-o",
            "/run/containers",
            "/run/crio",
            "/var/lib/containers",
            "/var/lib/crio",
        ],
    },
    "docker": {
        "units": ["cri-docker", "cri-docker.socket", "docker.socket", "docker", "containerd"],
        "socket": "unix:///run/cri-dockerd.sock",
        "paths": [
            "/etc/docker/daemon.json",
            "/opt/kubikk/cri-dockerd",
            "/run/containerd",
            "/run/docker",
            "/var/lib/containerd",
            "/var/lib/cri-dockerd",
            "/var/lib/docker",
        ],
    },
}
