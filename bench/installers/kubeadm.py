"""The peer: kubeadm init and join on the same hosts, by a script, with preloaded images."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import tomli_w
import yaml

from bench.installers.base import Installer, Program, host_environment, kubernetes_artifacts
from bench.site import Site
from kubikk.artifacts import oci
from kubikk.artifacts.oci import Entry, ImageConfig
from kubikk.cluster import versions
from kubikk.lab.base import base_tree

_SCRIPT = Path(__file__).with_name("kubeadm.sh")
_TOKEN = "benchm.0123456789abcdef"  # noqa: S105 (of hosts that live for a minute)
_CERTIFICATE_KEY = "0123456789abcdef" * 4
_POD_CIDR, _SERVICE_CIDR = "10.244.0.0/16", "10.96.0.0/12"
_EVERYWHERE = ("kubeadm", "kubelet", "kubectl", "containerd", "runc", "crictl")
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
_IMAGES = "/var/tmp/images"
# kube-proxy calls these; its image has them as upstream's has.
_TOOLS = ("usr/sbin/xtables-nft-multi", "usr/sbin/nft", "usr/sbin/conntrack", "usr/sbin/ipset")
_AS_XTABLES = tuple(f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))

_CONTAINERD_UNIT = """\
[Unit]
After=network.target
[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
Restart=always
LimitNOFILE=infinity
[Install]
WantedBy=multi-user.target
"""
# As in Kubernetes' own packages.
_KUBELET_UNIT = """\
[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10
[Install]
WantedBy=multi-user.target
"""
_KUBELET_DROPIN = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \\
 --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
"""
_SYSCTLS = "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n"


class Kubeadm(Installer):
    """kubeadm of the version that Kubikk installs."""

    name = "kubeadm"

    def prepare(self, site: Site, control_planes: int, workers: int) -> None:
        """Compiles or downloads kubeadm, and puts together what each kind of host is sent."""
        payload = self._payload(site)
        payload.mkdir(parents=True, exist_ok=True)
        images = _images(payload / "images")
        for role, names in (("control-plane", list(images)), ("worker", _worker_images(images))):
            archive = payload / f"{role}.tar"
            if not archive.exists():
                _write_archive(archive.with_suffix(".new"), [images[name] for name in names], _refs()["pause"])
                archive.with_suffix(".new").rename(archive)

    def program(self, site: Site) -> Program:
        """The script."""
        environment = host_environment(site, site.root / "work" / self.name)
        payload = self._payload(site)
        (payload / "kubeadm.yaml").write_text(_configuration(site))
        environment |= {
            "KUBEADM_PAYLOAD": str(payload),
            "KUBEADM_TOKEN": _TOKEN,
            "KUBEADM_CERTIFICATE_KEY": _CERTIFICATE_KEY,
        }
        return Program(["bash", str(_SCRIPT)], Path(environment["BENCH_KUBECONFIG"]), environment)

    def _payload(self, site: Site) -> Path:
        return site.root / "payload" / f"kubeadm-{versions.DEFAULT}"


def _configuration(site: Site) -> str:
    """kubeadm's configuration; the first control-plane host stands for a load balancer, which costs nothing."""
    first = site.hosts[0]
    api = "kubeadm.k8s.io/v1beta4"
    documents = [
        {
            "apiVersion": api,
            "kind": "InitConfiguration",
            "bootstrapTokens": [{"token": _TOKEN}],
            "certificateKey": _CERTIFICATE_KEY,
            "localAPIEndpoint": {"advertiseAddress": first.address},
            "nodeRegistration": {"name": first.name},
        },
        {
            "apiVersion": api,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": versions.DEFAULT,
            "controlPlaneEndpoint": f"{first.address}:6443",
            "networking": {"podSubnet": _POD_CIDR, "serviceSubnet": _SERVICE_CIDR},
        },
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
        },
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "conntrack": {"maxPerCore": 0, "min": 0},
        },
    ]
    return yaml.safe_dump_all(documents)


def _worker_images(images: dict[str, Path]) -> list[str]:
    return [name for name in images if not name.startswith((*_SERVERS, "etcd"))]


def _images(directory: Path) -> dict[str, Path]:
    """The images that kubeadm wants, under the names it asks for: assembled from the same binaries that Kubikk uses."""
    directory.mkdir(exist_ok=True)
    binaries = kubernetes_artifacts("etcd", "kube-proxy", *_SERVERS)
    ready = kubernetes_artifacts("image-coredns", "image-pause")
    found: dict[str, Path] = {}
    for name, ref in _refs().items():
        if name in ("coredns", "pause"):
            found[name] = ready[f"image-{name}.tar"]
            continue
        found[name] = directory / f"{name}.tar"
        if not found[name].exists():
            _assemble(name, ref, binaries, found[name])
    return found


def _refs() -> dict[str, str]:
    """The references that kubeadm asks for, by the image's short name."""
    listed = subprocess.run(
        [
            kubernetes_artifacts("kubeadm")["kubeadm"],
            "config",
            "images",
            "list",
            f"--kubernetes-version={versions.DEFAULT}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return {ref.rpartition("/")[2].partition(":")[0]: ref for ref in listed}


def _assemble(name: str, ref: str, binaries: dict[str, Path], archive: Path) -> None:
    programs = ("etcd", "etcdctl", "etcdutl") if name == "etcd" else (name,)
    entries = [Entry("usr"), Entry("usr/local"), Entry("usr/local/bin"), Entry("tmp", mode=0o1777)]
    entries += [Entry(f"usr/local/bin/{program}", binaries[program]) for program in programs]
    if name == "kube-proxy":
        entries += list(_tools(base_tree()))
    layer, written = archive.with_suffix(".layer"), archive.with_suffix(".new")
    oci.write_layer(entries, layer)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    oci.write_image(written, ref, "amd64", layer, ImageConfig([f"/usr/local/bin/{name}"], environment={"PATH": path}))
    layer.unlink()
    written.rename(archive)


def _tools(tree: Path) -> Iterator[Entry]:
    """Programs of the lab's base tree with the libraries that they need."""
    files = {tool for tool in _TOOLS if (tree / tool).exists()}
    files |= {str(path.relative_to(tree)) for path in (tree / "usr/lib/x86_64-linux-gnu/xtables").glob("*.so")}
    linked = subprocess.run(
        ["chroot", str(tree), "ldd", *(f"/{each}" for each in sorted(files))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    libraries = {word for word in linked.split() if word.startswith("/") and not word.endswith(":")}
    wanted = {each.replace("/lib", "/usr/lib", 1) if each.startswith("/lib") else each for each in libraries}
    files |= {each.lstrip("/") for each in wanted}
    directories = {str(parent) for each in files for parent in Path(each).parents if str(parent) != "."}
    present = {"usr", "usr/local", "usr/local/bin", "tmp"}
    for directory in sorted(directories - present):
        yield Entry(directory)
    yield Entry("lib", link="usr/lib")
    yield Entry("lib64", link="usr/lib64")
    for each in sorted(files):
        yield Entry(each, (tree / each).resolve())
    for name in _AS_XTABLES:
        yield Entry(f"usr/sbin/{name}", link="xtables-nft-multi")


def _write_archive(archive: Path, images: Iterable[Path], pause: str) -> None:
    """Everything that a host is sent before kubeadm runs, as one tar; ``pause`` is the image of pods' sandboxes."""
    binaries = kubernetes_artifacts(*_EVERYWHERE)
    plugins = kubernetes_artifacts("cni-plugins")
    containerd = {
        "version": 3,
        "plugins": {
            "io.containerd.cri.v1.images": {"pinned_images": {"sandbox": pause}},
            "io.containerd.cri.v1.runtime": {"restrict_oom_score_adj": True},
        },
    }
    texts = {
        "etc/systemd/system/containerd.service": _CONTAINERD_UNIT,
        "etc/systemd/system/kubelet.service": _KUBELET_UNIT,
        "etc/systemd/system/kubelet.service.d/10-kubeadm.conf": _KUBELET_DROPIN,
        "etc/sysctl.d/99-bench.conf": _SYSCTLS,
        "etc/containerd/config.toml": tomli_w.dumps(containerd),
    }
    with tarfile.open(archive, "w") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
        placed = {f"usr/local/bin/{name}": path for name, path in binaries.items()}
        placed |= {f"opt/cni/bin/{name}": path for name, path in plugins.items()}
        placed |= {f"{_IMAGES.lstrip('/')}/{path.name}": path for path in images}
        for name, path in placed.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = path.stat().st_size, 0o755
            with path.open("rb") as stream:
                tar.addfile(info, stream)
