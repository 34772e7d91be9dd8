"""What roles read: the variables of all hosts and those of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubikk.cluster import Cluster, Host
from kubikk.cluster.labels import CONTROL_PLANE, parse_taint
from kubikk.inventory.rendering import Template

_ETCD_CLIENT_PORT = 2379


def _by_name(hosts: Iterable[Host]) -> list[Host]:
    """Sorted, because the order of hosts in the cluster file means nothing and must not restart anything."""
    return sorted(hosts, key=lambda host: host.name)


def _addresses(hosts: Iterable[Host]) -> dict[str, str]:
    return {host.name: host.address for host in hosts}


def common_variables(cluster: Cluster, artifacts: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of ``group_vars/all.yml``.

    Args:
        cluster: the cluster.
        artifacts: by component, as ``ResolvedArtifacts.as_variables()`` gives them.
    """
    network, api = cluster.network, cluster.api
    return {
        "kubikk_cluster_name": cluster.name,
        "kubikk_kubernetes_version": cluster.kubernetes.number,
        # Not an absolute path: the inventory's directory may be moved.
        "kubikk_pki_dir": Template("{{ inventory_dir }}/pki"),
        "kubikk_pod_cidr": network.pod_cidr,
        "kubikk_service_cidr": network.service_cidr,
        # Empty where the cluster has IPv4 only.
        "kubikk_pod_cidr_ipv6": network.ipv6.pod_cidr if network.ipv6 else "",
        "kubikk_service_cidr_ipv6": network.ipv6.service_cidr if network.ipv6 else "",
        "kubikk_dns_address": cluster.dns_address,
        "kubikk_dns_domain": network.dns_domain,
        "kubikk_api_port": api.port,
        "kubikk_api_endpoint": cluster.api_endpoint_url,
        "kubikk_api_load_balancer": api.load_balancer,
        "kubikk_api_virtual_address": (api.endpoint or "") if api.load_balancer == "keepalived" else "",
        "kubikk_etcd_endpoints": [
            f"https://{host.address}:{_ETCD_CLIENT_PORT}" for host in _by_name(cluster.etcd_hosts)
        ],
        "kubikk_etcd_members": _addresses(cluster.etcd_hosts),
        "kubikk_etcd_snapshots": cluster.etcd.snapshots.model_dump(),
        "kubikk_control_plane_addresses": _addresses(cluster.control_plane_hosts),
        "kubikk_network_plugin": network.plugin,
        "kubikk_network_backend": network.backend,
        "kubikk_network_mtu": network.mtu or 0,
        "kubikk_firewall": {
            "mode": network.firewall,
            # Only where they are let in: a host more is no change for the others otherwise.
            "sources": [address for host in _by_name(cluster.hosts) for address in host.addresses]
            if network.firewall == "open"
            else [],
        },
        "kubikk_kube_proxy_mode": cluster.kube_proxy.mode,
        "kubikk_proxy": cluster.proxy_environment,
        "kubikk_cloud": {
            "provider": cluster.cloud.provider,
            "artifact": cluster.cloud.artifact,
            "config": str(cluster.cloud.config or ""),
            "environment": str(cluster.cloud.environment or ""),
        },
        "kubikk_addons": cluster.addons.model_dump(),
        "kubikk_drain_timeout": cluster.kubernetes.drain_timeout,
        "kubikk_components": cluster.components.as_written(),
        "kubikk_artifacts": dict(artifacts),
        # Every node has them before a pod asks, so that no registry is needed.
        "kubikk_node_images": sorted(name for name in artifacts if name.startswith("image-")),
    }


def host_variables(cluster: Cluster, host: Host) -> dict[str, Any]:
    """The variables of ``host_vars/<host>.yml``.

    Args:
        cluster: the cluster.
        host: one of its hosts.
    """
    variables: dict[str, Any] = {
        "kubikk_host": {
            "name": host.name,
            "address": host.address,
            "ipv6_address": host.ipv6_address or "",
            "arch": host.arch,
            "roles": sorted(host.roles),
            "labels": dict(host.labels),
            "taints": sorted(host.taints),
            "runtime": host.runtime or cluster.runtime,
            "provider_id": host.provider_id or "",
        }
    }
    if host.is_node:
        variables["kubikk_node"] = _node(host)
    return variables


def _node(host: Host) -> dict[str, Any]:
    """Labels and taints that the host's node is to have, those from its roles included."""
    labels = dict(host.labels)
    taints = [parse_taint(text) for text in sorted(host.taints)]
    entries = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints]
    if host.is_control_plane:
        labels[CONTROL_PLANE] = ""
        if not host.is_worker:
            entries.append({"key": CONTROL_PLANE, "value": "", "effect": "NoSchedule"})
    return {"name": host.name, "labels": labels, "taints": entries, "provider_id": host.provider_id or ""}
