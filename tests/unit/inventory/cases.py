"""Clusters whose inventories are kept in golden/."""

from __future__ import annotations

from typing import Any

ARTIFACTS: dict[str, Any] = {
    "etcd": {
        "version": "3.7.3",
        "amd64": {"files": {"etcd": {"path": "/cache/ab/etcd", "sha256": "ab" * 32, "size": 24}}},
    },
    "image-pause": {
        "version": "3.10.2",
        "ref": "registry.k8s.io/pause:3.10.2",
        "amd64": {"files": {"image-pause.tar": {"path": "/cache/cd/pause.tar", "sha256": "cd" * 32, "size": 8}}},
    },
}
"""Stands for what the package artifacts finds."""

_WORKERS = """\
  - {name: w1, address: 192.168.1.21, roles: [worker]}
  - {name: w2, address: 192.168.1.22, roles: [worker]}
"""
_THREE = """\
hosts:
  - {name: cp1, address: 192.168.1.11, roles: [control-plane]}
  - {name: cp2, address: 192.168.1.12, roles: [control-plane]}
  - {name: cp3, address: 192.168.1.13, roles: [control-plane]}
"""

CASES = {
    "single-node": "hosts: [{name: one, address: 192.168.1.11, roles: [worker, control-plane]}]\n",
    "one-and-two": "hosts:\n  - {name: cp1, address: 192.168.1.11, roles: [control-plane]}\n" + _WORKERS,
    "jump-and-sudo": """\
name: prod
kubernetes: {version: v1.36.3}
ssh: {user: ubuntu, key: /keys/id, known_hosts: /keys/known hosts, jump: "me@bastion.example.com:2222"}
"""
    + _THREE
    + """\
  - name: w1
    address: 192.168.1.21
    roles: [worker]
    ssh: {host: w1.example.com, port: 2022, user: root, jump: null}
    labels: {example.com/disk: ssd}
    taints: ["example.com/disk=ssd:NoSchedule", "a:NoExecute"]
    arch: arm64
  - {name: w2, address: 192.168.1.22, roles: [worker], ssh: {key: null, known_hosts: null}}
network: {pod_cidr: 10.64.0.0/14, service_cidr: 172.20.0.0/16, dns_domain: k8s.example.com, backend: host-gw, mtu: 9000}
api: {port: 8443}
components:
  kube-apiserver: {flags: {profiling: null, v: 2, "oidc-groups-prefix": "{{ x }}"}}
  kubelet: {config: {maxPods: 200}}
""",
    "dedicated-etcd": """\
hosts:
  - {name: e3, address: 192.168.1.33, roles: [etcd]}
  - {name: e1, address: 192.168.1.31, roles: [etcd]}
  - {name: e2, address: 192.168.1.32, roles: [etcd]}
  - {name: cp1, address: 192.168.1.11, roles: [control-plane]}
  - {name: cp2, address: 192.168.1.12, roles: [control-plane]}
"""
    + _WORKERS,
    "keepalived": _THREE
    + "api: {load_balancer: keepalived, endpoint: 192.168.1.10}\n"
    + "network: {firewall: open}\n"
    + "proxy: {http: 'http://proxy.example.com:3128/', no_proxy: [.example.com]}\n",
    "dual-stack": """\
hosts:
  - {name: cp1, address: 192.168.1.11, ipv6_address: "fd00:192:168:1::11", roles: [control-plane]}
  - {name: w1, address: 192.168.1.21, ipv6_address: "FD00:192:168:1:0::21", roles: [worker]}
network: {ipv6: {pod_cidr: "fd00:10:64::/48"}, firewall: open}
proxy: {http: 'http://proxy.example.com:3128/'}
""",
    "mixed-architectures": """\
hosts:
  - {name: cp1, address: 192.168.1.11, roles: [control-plane]}
  - {name: w1, address: 192.168.1.21, roles: [worker], arch: arm64}
""",
    "cloud": """\
hosts:
  - {name: cp1, address: 192.168.1.11, roles: [control-plane], provider_id: "aws:///eu-west-1a/i-0123456789abcdef0"}
  - {name: ip-192-168-1-21.ec2.internal, address: 192.168.1.21, roles: [worker]}
"""
    + "cloud: {provider: aws}\n"
    + "components: {cloud-controller-manager: {flags: {controllers: ['*', -service-lb-controller]}}}\n",
    "external": _THREE
    + _WORKERS
    + "api: {load_balancer: external, endpoint: k8s.example.com, port: 443}\nnetwork: {plugin: none}\n"
    + "addons: {coredns: false}\n",
}
"""Cluster files by the name of their golden directory."""
