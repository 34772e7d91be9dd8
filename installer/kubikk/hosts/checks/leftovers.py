"""Checks for another Kubernetes, or what is left of one."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.hosts.checks.view import Fault, View, error, warning
from kubikk.hosts.layout import OPT, RUNTIME_SERVICES, services
from kubikk.hosts.probes import CNI, ETCD_DATA, MANIFESTS

_KUBEADM = "Run kubeadm reset there, if nobody needs that cluster."

_DISTRIBUTIONS = {
    "k3s": (("/etc/rancher/k3s", "/var/lib/rancher/k3s"), ("k3s", "k3s-agent"), "Run k3s-uninstall.sh there."),
    "RKE2": (
        ("/etc/rancher/rke2", "/var/lib/rancher/rke2"),
        ("rke2-server", "rke2-agent"),
        "Run rke2-uninstall.sh there.",
    ),
    "k0s": (("/var/lib/k0s",), ("k0scontroller", "k0sworker"), "Run k0s stop and k0s reset there."),
    "MicroK8s": (("/var/snap/microk8s",), ("snap.microk8s.daemon-kubelite",), "Run snap remove --purge microk8s."),
}

# What Kubikk writes itself; flanneld's network configuration among them.
_OWN_CNI = {"10-flannel.conflist", "99-loopback.conf", ".kubernetes-cni-keep"}
_FLANNEL_CNI = "10-flannel.conflist"
_CNI_SUFFIXES = (".conf", ".conflist", ".json")


def check_kubeadm(view: View) -> Iterator[Fault]:
    """Nothing of kubeadm's: kubelet would start its static pods."""
    pods = [name for name in view.facts.listed.get(MANIFESTS, ()) if not name.startswith(".")]
    if pods:
        yield error(f"{MANIFESTS} holds static pods of another cluster: {', '.join(pods)}", _KUBEADM)
    elif "/etc/kubernetes/kubelet.conf" in view.facts.present:
        yield error("/etc/kubernetes/kubelet.conf is left of a cluster that kubeadm made", _KUBEADM)
    elif "/etc/kubernetes/admin.conf" in view.facts.present and not view.facts.is_ours:
        yield error("/etc/kubernetes/admin.conf is left of another cluster", _KUBEADM)


def check_distributions(view: View) -> Iterator[Fault]:
    """No other distribution of Kubernetes."""
    for name, (paths, units, remedy) in _DISTRIBUTIONS.items():
        running = [unit for unit in units if unit in view.facts.units and view.facts.units[unit].runs]
        present = [path for path in paths if path in view.facts.present]
        if running:
            yield error(f"{name} is running ({', '.join(running)})", remedy)
        elif present:
            yield warning(f"{', '.join(present)} is left of {name}", remedy)


def check_services(view: View) -> Iterator[Fault]:
    """No service of the same name from elsewhere that is running: Kubikk would replace it."""
    for name in services(view.cluster, view.host):
        service = view.facts.units.get(name)
        # A service without a process right now is just being started again.
        if service and service.runs and service.executable and not view.owns_service(name, service.executable):
            yield error(
                f"{name} is running already ({service.executable}), and is not Kubikk's",
                f"Run systemctl disable --now {name} there, and remove its package if nothing else needs it.",
            )


def check_runtimes(view: View) -> Iterator[Fault]:
    """No other container runtime: it would work, and nobody would know which containers are whose."""
    if not view.host.is_node:
        return
    wanted = view.host.runtime or view.cluster.runtime
    for runtime, (name, *_) in RUNTIME_SERVICES.items():
        service = view.facts.units.get(name)
        # Kubikk's own is replaced by the wanted one; Docker runs its containers by a containerd.
        if runtime == wanted or not service or not service.runs or view.owns_service(name, service.executable):
            continue
        if (wanted, runtime) != ("docker", "containerd"):
            yield warning(
                f"{name} is running beside {wanted}",
                f"Run systemctl disable --now {name} there, unless something needs it.",
            )


def check_cni(view: View) -> Iterator[Fault]:
    """No configuration of another pod network that the runtime would prefer: it takes the first by name."""
    if not view.host.is_node or view.cluster.network.plugin != "flannel":
        return
    for name in view.facts.listed.get(CNI, ()):
        if name in _OWN_CNI or not name.endswith(_CNI_SUFFIXES):
            continue
        if name < _FLANNEL_CNI:
            yield error(
                f"{CNI}/{name} comes before {_FLANNEL_CNI}, so pods would get the network it describes",
                "Remove it, or set network.plugin: none to use that network.",
            )
        else:
            yield warning(f"{CNI}/{name} describes a network that pods do not get", "Remove it if nothing needs it.")


def check_etcd_data(view: View) -> Iterator[Fault]:
    """No data of another etcd, which ours would take for its own."""
    if view.host not in view.cluster.etcd_hosts or "etcd" in view.facts.kubikk_units:
        return
    if "member" in view.facts.listed.get(ETCD_DATA, ()):
        # Kubikk may have been interrupted after etcd's start and before it was noted.
        ours = view.facts.units.get("etcd")
        if ours and ours.executable.startswith(OPT):
            return
        yield error(
            f"{ETCD_DATA} holds the data of another etcd",
            f"Move it away if it matters, delete {ETCD_DATA}/member if it does not.",
        )
