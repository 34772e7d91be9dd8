"""Cluster files that are wrong, and what is to be said about each: the table of test_problems.py."""

from __future__ import annotations

from dataclasses import dataclass

Expected = tuple[int | None, str, str]
"""Line, key and a part of message or remedy."""

ONE = """\
hosts:
  - {name: cp1, address: 192.168.1.11, roles: [control-plane]}
"""
"""A valid file of two lines, to which rows add a third and more."""


@dataclass(frozen=True)
class Row:
    """A file and its problems, in order."""

    name: str
    text: str
    problems: tuple[Expected, ...]


def _row(name: str, text: str, *problems: Expected) -> Row:
    return Row(name, text, problems)


def _host(rest: str) -> str:
    """A second host, in line 3."""
    return f"{ONE}  - {{{rest}}}\n"


def _hosts(*roles: str) -> str:
    """Hosts h1, h2 … with the given roles, from line 2 on."""
    return "hosts:\n" + "".join(
        f"  - {{name: h{number}, address: 192.168.1.{number}, roles: [{role}]}}\n"
        for number, role in enumerate(roles, 1)
    )


YAML = [
    _row("empty", "", (None, "", "the file is empty")),
    _row("only comments", "# nothing\n", (None, "", "the file is empty")),
    _row("list at the top", "- a\n", (1, "", "expected a mapping at the top, not a list")),
    _row("text at the top", "hello\n", (1, "", "expected a mapping at the top, not 'hello'")),
    _row("bad indentation", "name: a\n  hosts: []\n", (2, "", "no valid YAML: mapping values are not allowed here")),
    _row("tab", "name: a\nhosts:\n\t- a\n", (3, "", "no valid YAML: found character '\\t'")),
    _row("open bracket", "hosts: [\n", (2, "", "no valid YAML")),
    _row("two documents", "name: a\n---\nname: b\n", (2, "", "but found another document")),
    _row("control character", "name: a\nruntime: \x07\n", (2, "", "U+0007")),
    _row("unknown alias", "name: *a\n", (1, "", "found undefined alias")),
    _row("unknown tag", f"{ONE}name: !x a\n", (3, "name", "no valid value of the YAML type !x")),
    _row("doubled key", f"{ONE}name: a\nname: b\n", (4, "name", "the key 'name' is already given in line 3")),
    _row(
        "doubled key of a host",
        "hosts:\n  - name: cp1\n    address: 192.168.1.11\n    name: cp2\n    roles: [control-plane]\n",
        (4, "hosts[0].name", "already given in line 2"),
    ),
    _row("list as a key", f"{ONE}[a]: b\n", (3, "", "a key is a list or a mapping")),
    _row(
        "alias of itself",
        f"{ONE}components: {{containerd: {{config: &c {{a: *c}}}}}}\n",
        (3, "components.containerd.config.a", "contains itself"),
    ),
]

KEYS = [
    _row("unknown key", f"{ONE}netwrok: {{}}\n", (3, "netwrok", "Did you mean network?")),
    _row("unknown key, nothing like it", f"{ONE}zzz: 1\n", (3, "zzz", "Known keys here: name, kubernetes")),
    _row("misspelt required key", "hosts:\n  - {name: a, adress: 192.168.1.1, roles: [control-plane]}\n",
         (2, "hosts[0].adress", "Did you mean address?")),
    _row("missing keys", "hosts:\n  - {name: a}\n", (2, "hosts[0].address", "is missing"),
         (2, "hosts[0].roles", "the host has no role")),
    _row("no hosts", "name: a\n", (1, "hosts", "the cluster has no hosts")),
    _row("empty hosts", "hosts: []\n", (1, "hosts", "there is no host")),
    _row("null section", f"{ONE}network:\n", (3, "network", "expected a mapping, not nothing")),
    _row("list as section", f"{ONE}network: [a]\n", (3, "network", "expected a mapping, not a list")),
    _row("hosts as mapping", "hosts: {a: 1}\n", (1, "hosts", "expected a list, not a mapping")),
    _row("host as text", "hosts: [cp1]\n", (1, "hosts[0]", "expected a mapping, not 'cp1'")),
    _row("number as text", f"{ONE}name: 12\n", (3, "name", "expected text, not the number 12")),
    _row("text as number", f"{ONE}ssh: {{port: '22'}}\n", (3, "ssh.port", "expected a whole number, not '22'")),
    _row("text as truth value", f"{ONE}addons: {{coredns: 'yes'}}\n", (3, "addons.coredns", "expected true or false")),
    _row("sudo password", f"{ONE}ssh: {{become_password: x}}\n", (3, "ssh.become_password", "--ask-become-pass")),
    _row("sudo password of a host",
         _host("name: w1, address: 192.168.1.2, roles: [worker], ssh: {become_password: x}"),
         (3, "hosts[1].ssh.become_password", "a password never stands in a file")),
    _row("etcd section", f"{ONE}etcd: {{snapshot_count: 1}}\n", (3, "etcd.snapshot_count", "components.etcd.flags")),
    _row("merged key", f"{ONE}network: &n {{mtuu: 1500}}\napi: {{<<: *n}}\n",
         (3, "network.mtuu", "Did you mean mtu?"), (3, "api.mtuu", "unknown key")),
]  # fmt: skip

SHA = "a" * 64
AWS = "hosts:\n  - {name: ip-10-0-0-1.ec2.internal, address: 192.168.1.11, roles: [control-plane]}\n"
"""As ONE, with the name of an instance."""

CLOUD = [
    _row("instance without ID", f"{ONE}cloud: {{provider: aws}}\n",
         (2, "hosts[0]", "AWS has no instance that is called cp1")),
    _row("unknown cloud", f"{ONE}cloud: {{provider: azure}}\n", (3, "cloud.provider", "external")),
    _row("program of a known cloud",
         f"{AWS}cloud: {{provider: aws, program: {{source: 'https://a/b', sha256: {SHA}}}}}\n",
         (3, "cloud.program", "no effect with provider: aws")),
    _row("program without its cloud",
         f"{ONE}cloud: {{provider: external, program: {{source: 'https://a/b', sha256: {SHA}}}}}\n",
         (3, "cloud.program", "flags.cloud-provider")),
    _row("program over plain HTTP",
         f"{ONE}cloud: {{provider: external, program: {{source: 'http://a/b', sha256: {SHA}}}}}\n",
         (3, "cloud.program.source", "neither an https URL nor a file")),
    _row("missing program", f"{ONE}cloud: {{provider: external, program: {{source: none, sha256: {SHA}}}}}\n",
         (3, "cloud.program.source", "there is no file")),
    _row("no sha256", f"{ONE}cloud: {{provider: external, program: {{source: 'https://a/b', sha256: latest}}}}\n",
         (3, "cloud.program.sha256", "64 of 0-9 and a-f")),
    _row("missing credentials", f"{AWS}cloud: {{provider: aws, environment: none.env}}\n",
         (3, "cloud.environment", "there is no file")),
    _row("provider ID without cloud",
         _host("name: w1, address: 192.168.1.2, roles: [worker], provider_id: 'aws:///a/i-1'"),
         (3, "hosts[1].provider_id", "Set cloud.provider")),
    _row("no provider ID",
         AWS + "  - {name: w1, address: 192.168.1.2, roles: [worker], provider_id: i-1}\ncloud: {provider: aws}\n",
         (3, "hosts[1].provider_id", "is no provider ID")),
    _row("one machine twice",
         AWS + "  - {name: w1, address: 192.168.1.2, roles: [worker], provider_id: 'aws:///a/i-1'}\n"
         "  - {name: w2, address: 192.168.1.3, roles: [worker], provider_id: 'aws:///a/i-1'}\n"
         "cloud: {provider: aws}\n",
         (4, "hosts[2].provider_id", "already that of the host w1 in line 3")),
    _row("program for two architectures",
         "hosts:\n  - {name: a, address: 192.168.1.1, roles: [control-plane]}\n"
         "  - {name: b, address: 192.168.1.2, roles: [control-plane], arch: arm64}\n"
         "  - {name: c, address: 192.168.1.3, roles: [control-plane]}\n"
         f"cloud: {{provider: external, program: {{source: 'https://a/b', sha256: {SHA}}}}}\n"
         "components: {cloud-controller-manager: {flags: {cloud-provider: x}}}\n",
         (5, "cloud.program", "different architectures")),
]  # fmt: skip

HOSTS = [
    _row("doubled name", _host("name: cp1, address: 192.168.1.2, roles: [worker]"),
         (3, "hosts[1].name", "already that of the host in line 2")),
    _row("doubled address", _host("name: w1, address: 192.168.1.11, roles: [worker]"),
         (3, "hosts[1].address", "already that of the host cp1 in line 2")),
    _row("name in capitals", _host("name: W1, address: 192.168.1.2, roles: [worker]"),
         (3, "hosts[1].name", "Write w1.")),
    _row("name with underscore", _host("name: w_1, address: 192.168.1.2, roles: [worker]"),
         (3, "hosts[1].name", "no host name that Kubernetes accepts")),
    _row("name of a group", _host("name: etcd, address: 192.168.1.2, roles: [worker]"),
         (3, "hosts[1].name", "another meaning in an Ansible inventory")),
    _row("name as address", _host("name: w1, address: w1.example.com, roles: [worker]"),
         (3, "hosts[1].address", "goes to ssh.host")),
    _row("bad address", _host("name: w1, address: 192.168.1.256, roles: [worker]"),
         (3, "hosts[1].address", "'192.168.1.256' is no IP address")),
    _row("IPv6 address", _host("name: w1, address: 'fd00::1', roles: [worker]"),
         (3, "hosts[1].address", "expected an IPv4 address")),
    _row("loopback address", _host("name: w1, address: 127.0.0.1, roles: [worker]"),
         (3, "hosts[1].address", "cannot be reached from other hosts")),
    _row("no role", _host("name: w1, address: 192.168.1.2, roles: []"), (3, "hosts[1].roles", "the host has no role")),
    _row("unknown role", _host("name: w1, address: 192.168.1.2, roles: [wroker]"),
         (3, "hosts[1].roles[0]", "Did you mean worker?")),
    _row("role as text", _host("name: w1, address: 192.168.1.2, roles: worker"),
         (3, "hosts[1].roles", "expected a list, not 'worker'")),
    _row("doubled role", _host("name: w1, address: 192.168.1.2, roles: [worker, worker]"),
         (3, "hosts[1].roles", "the role worker is listed twice")),
    _row("no control plane", _hosts("worker"), (1, "hosts", "no host has the role control-plane")),
    _row("two stacked members", _hosts("control-plane", "control-plane"),
         (1, "hosts", "2 hosts run etcd (h1, h2), expected an odd number; without the role etcd")),
    _row("four dedicated members", _hosts("control-plane", "etcd", "etcd", "etcd", "etcd"),
         (1, "hosts", "Give the role etcd to 3 or 5 hosts.")),
    _row("unknown runtime", f"{ONE}runtime: podman\n", (3, "runtime", "'podman' is not supported; expected")),
    _row("unknown runtime of a host", _host("name: w1, address: 192.168.1.2, roles: [worker], runtime: crio"),
         (3, "hosts[1].runtime", "'crio' is not supported; expected containerd, cri-o or docker")),
    _row("unknown architecture", _host("name: w1, address: 192.168.1.2, roles: [worker], arch: x86_64"),
         (3, "hosts[1].arch", "expected one of amd64, arm64, not 'x86_64'")),
    _row("label key", _host("name: w1, address: 192.168.1.2, roles: [worker], labels: {a/b/c: x}"),
         (3, "hosts[1].labels.a/b/c", "no key of a label")),
    _row("label value", _host("name: w1, address: 192.168.1.2, roles: [worker], labels: {a: x y}"),
         (3, "hosts[1].labels.a", "no value of a label")),
    _row("label value as truth value", _host("name: w1, address: 192.168.1.2, roles: [worker], labels: {a: true}"),
         (3, "hosts[1].labels.a", "expected text, not the truth value true")),
    _row("label from roles",
         _host("name: w1, address: 192.168.1.2, roles: [worker], labels: {node-role.kubernetes.io/control-plane: ''}"),
         (3, "hosts[1].labels.node-role.kubernetes.io/control-plane", "set from the host's roles")),
    _row("label from kubelet",
         _host("name: w1, address: 192.168.1.2, roles: [worker], labels: {kubernetes.io/hostname: x}"),
         (3, "hosts[1].labels.kubernetes.io/hostname", "set by kubelet")),
    _row("taint without effect", _host("name: w1, address: 192.168.1.2, roles: [worker], taints: [a=b]"),
         (3, "hosts[1].taints[0]", "expected key=value:Effect or key:Effect")),
    _row("taint value", _host("name: w1, address: 192.168.1.2, roles: [worker], taints: ['a=b c:NoSchedule']"),
         (3, "hosts[1].taints[0]", "no value of a taint")),
    _row("taint from roles",
         _host("name: w1, address: 192.168.1.2, roles: [worker], "
               "taints: ['node-role.kubernetes.io/control-plane:NoSchedule']"),
         (3, "hosts[1].taints[0]", "set from the host's roles")),
    _row("taint from conditions",
         _host("name: w1, address: 192.168.1.2, roles: [worker], taints: ['node.kubernetes.io/not-ready:NoExecute']"),
         (3, "hosts[1].taints[0]", "set by Kubernetes")),
    _row("doubled taint",
         _host("name: w1, address: 192.168.1.2, roles: [worker], taints: ['a=b:NoExecute', 'a=c:NoExecute']"),
         (3, "hosts[1].taints", "listed twice")),
    _row("labels of an etcd host", _host("name: e1, address: 192.168.1.2, roles: [etcd], labels: {a: b}"),
         (3, "hosts[1].labels", "the host e1 runs etcd only")),
]  # fmt: skip

SSH = [
    _row("missing key file", f"{ONE}ssh: {{key: ~/.ssh/none}}\n", (3, "ssh.key", "home/.ssh/none; expected a private")),
    _row("missing key file, relative", f"{ONE}ssh: {{key: keys/none}}\n", (3, "ssh.key", "keys/none; expected")),
    _row("missing key file of a host",
         _host("name: w1, address: 192.168.1.2, roles: [worker], ssh: {key: ~/none}"),
         (3, "hosts[1].ssh.key", "home/none; expected a private SSH key")),
    _row("home of nobody", f"{ONE}ssh: {{key: ~nobody-here/id}}\n", (3, "ssh.key", "the home of no user")),
    _row("percent sign", f"{ONE}ssh: {{known_hosts: a%h}}\n", (3, "ssh.known_hosts", "ssh takes no such path")),
    _row("empty path", f"{ONE}ssh: {{known_hosts: ''}}\n", (3, "ssh.known_hosts", "expected a path, not ''")),
    _row("port out of range", f"{ONE}ssh: {{port: 70000}}\n", (3, "ssh.port", "at most 65535, not the number 70000")),
    _row("user with host", f"{ONE}ssh: {{user: 'me:x'}}\n", (3, "ssh.user", "no user name")),
    _row("two jump hosts", f"{ONE}ssh: {{jump: 'a,b'}}\n", (3, "ssh.jump", "expected [user@]host[:port]")),
    _row("option as a jump host", f"{ONE}ssh: {{jump: '-oProxyCommand=x'}}\n", (3, "ssh.jump", "is no jump host")),
    _row("jump port", f"{ONE}ssh: {{jump: 'a:99999'}}\n", (3, "ssh.jump", "not between 1 and 65535")),
]  # fmt: skip

_V6 = "hosts:\n  - {name: cp1, address: 192.168.1.11, ipv6_address: 'fd00:1::11', roles: [control-plane]}\n"

NETWORK = [
    _row("no network", f"{ONE}network: {{pod_cidr: ten}}\n", (3, "network.pod_cidr", "'ten' is no IPv4 network")),
    _row("IPv6 network", f"{ONE}network: {{pod_cidr: 'fd00::/64'}}\n", (3, "network.pod_cidr", "is no IPv4 network")),
    _row("without prefix", f"{ONE}network: {{pod_cidr: 10.0.0.0}}\n", (3, "network.pod_cidr", "Add the prefix")),
    _row("host bits", f"{ONE}network: {{pod_cidr: 10.244.1.0/16}}\n", (3, "network.pod_cidr", "Write 10.244.0.0/16.")),
    _row("pods and Services", f"{ONE}network:\n  pod_cidr: 10.96.0.0/16\n",
         (4, "network.pod_cidr", "10.96.0.0/16 and the Service network 10.96.0.0/12 overlap")),
    _row("Services and pods", f"{ONE}network:\n  service_cidr: 10.244.0.0/24\n",
         (4, "network.service_cidr", "10.244.0.0/16 and the Service network 10.244.0.0/24 overlap")),
    _row("host among pods", _host("name: w1, address: 10.244.1.2, roles: [worker]"),
         (3, "hosts[1].address", "10.244.1.2 of the host w1 lies in the pod network 10.244.0.0/16")),
    _row("host among Services", _host("name: w1, address: 10.100.1.2, roles: [worker]"),
         (3, "hosts[1].address", "lies in the Service network 10.96.0.0/12")),
    _row("endpoint among pods", f"{ONE}api: {{load_balancer: external, endpoint: 10.244.0.1}}\n",
         (3, "api.endpoint", "of the endpoint lies in the pod network")),
    _row("too few networks for nodes",
         _hosts("control-plane", "worker", "worker") + "network: {pod_cidr: 10.244.0.0/23}\n",
         (5, "network.pod_cidr", "has room for 2 nodes (a /24 each), but there are 3")),
    _row("pod network too small", f"{ONE}network: {{pod_cidr: 10.244.0.0/25}}\n",
         (3, "network.pod_cidr", "prefix 25; expected 8 to 24")),
    _row("pod network too large", f"{ONE}network: {{pod_cidr: 32.0.0.0/7}}\n", (3, "network.pod_cidr", "prefix 7")),
    _row("Service network too large", f"{ONE}network: {{service_cidr: 10.0.0.0/11}}\n",
         (3, "network.service_cidr", "expected 12 to 28")),
    _row("Service network too small", f"{ONE}network: {{service_cidr: 10.0.0.0/29}}\n",
         (3, "network.service_cidr", "expected 12 to 28")),
    _row("IPv4 network for IPv6", f"{ONE}network: {{ipv6: {{pod_cidr: 10.244.0.0/16}}}}\n",
         (3, "network.ipv6.pod_cidr", "is no IPv6 network")),
    _row("host bits of IPv6", f"{ONE}network:\n  ipv6:\n    service_cidr: fd00::1/112\n",
         (5, "network.ipv6.service_cidr", "Write fd00::/112.")),
    _row("pod network of IPv6 too small", _V6 + "network: {ipv6: {pod_cidr: 'fd00::/65'}}\n",
         (3, "network.ipv6.pod_cidr", "prefix 65; expected 48 to 64")),
    _row("Service network of IPv6 too large", _V6 + "network: {ipv6: {service_cidr: 'fd00::/64'}}\n",
         (3, "network.ipv6.service_cidr", "prefix 64; expected 108 to 124")),
    _row("pods and Services of IPv6", _V6 + "network: {ipv6: {pod_cidr: 'fd00:10:96::/64'}}\n",
         (3, "network.ipv6.pod_cidr", "fd00:10:96::/64 and the Service network fd00:10:96::/112 overlap")),
    _row("host among pods of IPv6", _V6 + "network: {ipv6: {pod_cidr: 'fd00:1::/56'}}\n",
         (2, "hosts[0].ipv6_address", "fd00:1::11 of the host cp1 lies in the pod network fd00:1::/56")),
    _row("no room for nodes in IPv6",
         _V6 + "  - {name: w1, address: 192.168.1.21, ipv6_address: 'fd00:1::21', roles: [worker]}\n"
         "network: {ipv6: {pod_cidr: 'fd00:2::/64'}}\n",
         (4, "network.ipv6.pod_cidr", "has room for 1 nodes (a /64 each), but there are 2")),
    _row("host without IPv6", f"{ONE}network: {{ipv6: {{}}}}\n",
         (2, "hosts[0]", "the host cp1 has no ipv6_address, which network.ipv6 needs")),
    _row("IPv6 of a host for nothing", _V6, (2, "hosts[0].ipv6_address", "no effect without network.ipv6")),
    _row("two hosts with the same IPv6",
         _V6 + "  - {name: w1, address: 192.168.1.21, ipv6_address: 'fd00:1:0::11', roles: [worker]}\n"
         "network: {ipv6: {}}\n",
         (3, "hosts[1].ipv6_address", "the address fd00:1::11 is already that of the host cp1")),
    _row("IPv6 of one link",
         "hosts:\n  - {name: cp1, address: 192.168.1.11, ipv6_address: 'fe80::1', roles: [control-plane]}\n"
         "network: {ipv6: {}}\n",
         (2, "hosts[0].ipv6_address", "fe80::1 cannot be reached from other hosts")),
    _row("DNS domain", f"{ONE}network: {{dns_domain: Cluster_local}}\n", (3, "network.dns_domain", "is no DNS name")),
    _row("MTU", f"{ONE}network: {{mtu: 100}}\n", (3, "network.mtu", "at least 576")),
    _row("unknown plugin", f"{ONE}network: {{plugin: calico}}\n", (3, "network.plugin", "one of flannel, none")),
    _row("flannel's without flannel", f"{ONE}network:\n  plugin: none\n  backend: host-gw\n",
         (5, "network.backend", "no effect with network.plugin: none")),
]  # fmt: skip

API = [
    _row("external without endpoint", f"{ONE}api: {{load_balancer: external}}\n",
         (3, "api.load_balancer", "Add api.endpoint")),
    _row("keepalived without endpoint", f"{ONE}api: {{load_balancer: keepalived}}\n",
         (3, "api.load_balancer", "needs the virtual address")),
    _row("local with endpoint", f"{ONE}api: {{endpoint: k8s.example.com}}\n",
         (3, "api.endpoint", "no effect with load_balancer: local")),
    _row("virtual address of a host", f"{ONE}api: {{load_balancer: keepalived, endpoint: 192.168.1.11}}\n",
         (3, "api.endpoint", "is the host cp1's own")),
    _row("virtual name", f"{ONE}api: {{load_balancer: keepalived, endpoint: k8s.example.com}}\n",
         (3, "api.endpoint", "keepalived needs an IPv4 address")),
    _row("endpoint with port", f"{ONE}api: {{load_balancer: external, endpoint: 'k8s.example.com:6443'}}\n",
         (3, "api.endpoint", "without scheme and port")),
    _row("endpoint IPv6", f"{ONE}api: {{load_balancer: external, endpoint: 'fd00::1'}}\n",
         (3, "api.endpoint", "Give the IPv4 address")),
    _row("unknown load balancer", f"{ONE}api: {{load_balancer: extern}}\n",
         (3, "api.load_balancer", "Did you mean external?")),
    _row("kubelet's port", f"{ONE}api: {{port: 10250}}\n", (3, "api.port", "kubelet's on the same hosts")),
    _row("node port", f"{ONE}api: {{port: 30443}}\n", (3, "api.port", "range of node ports")),
    _row("certificate name", f"{ONE}api: {{extra_sans: ['https://a']}}\n", (3, "api.extra_sans[0]", "neither an IP")),
]  # fmt: skip

REST = [
    _row("cluster name", f"{ONE}name: Prod_1\n", (3, "name", "'Prod_1' is no DNS label")),
    _row("old version", f"{ONE}kubernetes: {{version: v1.30.0}}\n",
         (3, "kubernetes.version", "'v1.30.0' is not supported; expected v1.37.2 or v1.36.3")),
    _row("version without v", f"{ONE}kubernetes: {{version: 1.36.3}}\n", (3, "kubernetes.version", "Write v1.36.3.")),
    _row("version as number", f"{ONE}kubernetes: {{version: 1.37}}\n", (3, "kubernetes.version", "the number 1.37")),
    _row("kube-proxy's mode", f"{ONE}kube_proxy: {{mode: userspace}}\n", (3, "kube_proxy.mode", "iptables")),
    _row("proxy without scheme", f"{ONE}proxy: {{http: 'proxy:3128'}}\n", (3, "proxy.http", "is no proxy's URL")),
    _row("proxy with a password", f"{ONE}proxy: {{https: 'http://me:secret@proxy:3128'}}\n",
         (3, "proxy.https", "readable by everybody")),
    _row("proxy's port", f"{ONE}proxy: {{http: 'http://proxy:99999'}}\n", (3, "proxy.http", "is no proxy's URL")),
    _row("two exceptions in one", f"{ONE}proxy: {{no_proxy: ['a.example.com,b.example.com']}}\n",
         (3, "proxy.no_proxy[0]", "one each")),
    _row("firewall", f"{ONE}network: {{firewall: on}}\n", (3, "network.firewall", "")),
    _row("mirror without place", f"{ONE}artifacts: {{source: mirror}}\n",
         (3, "artifacts.source", "Add artifacts.mirror")),
    _row("place without mirror", f"{ONE}artifacts: {{mirror: 'https://m.example.com'}}\n",
         (3, "artifacts.mirror", "no effect with source: upstream")),
    _row("missing mirror", f"{ONE}artifacts: {{source: mirror, mirror: nowhere}}\n",
         (3, "artifacts.mirror", "there is no directory")),
    _row("mirror with an endless name", f"{ONE}artifacts: {{source: mirror, mirror: {'a' * 300}}}\n",
         (3, "artifacts.mirror", "cannot be looked at: file name too long")),
    _row("mirror by another protocol", f"{ONE}artifacts: {{source: mirror, mirror: 'ftp://m'}}\n",
         (3, "artifacts.mirror", "neither an http(s) URL nor a directory")),
    _row("unknown source", f"{ONE}artifacts: {{source: bulid}}\n", (3, "artifacts.source", "Did you mean build?")),
    _row("unknown component", f"{ONE}components: {{kubeproxy: {{}}}}\n",
         (3, "components.kubeproxy", "unknown component 'kubeproxy'")),
    _row("component with underscore", f"{ONE}components: {{kube_apiserver: {{}}}}\n",
         (3, "components.kube_apiserver", "Did you mean kube-apiserver?")),
    _row("flags of kube-proxy", f"{ONE}components: {{kube-proxy: {{flags: {{v: 2}}}}}}\n",
         (3, "components.kube-proxy.flags", "expected config, not flags")),
    _row("config of etcd", f"{ONE}components: {{etcd: {{config: {{}}}}}}\n",
         (3, "components.etcd.config", "expected flags, not config")),
    _row("flag with dashes", f"{ONE}components: {{etcd: {{flags: {{--quota-backend-bytes: 1}}}}}}\n",
         (3, "components.etcd.flags.--quota-backend-bytes", "Write quota-backend-bytes.")),
    _row("flag with value in its name", f"{ONE}components: {{etcd: {{flags: {{a=b: 1}}}}}}\n",
         (3, "components.etcd.flags.a=b", "without dashes and value")),
    _row("flag as mapping", f"{ONE}components: {{etcd: {{flags: {{a: {{b: c}}}}}}}}\n",
         (3, "components.etcd.flags.a", "a mapping is no value of a flag")),
    _row("flag of two lines", f"{ONE}components: {{etcd: {{flags: {{a: \"b\\nc\"}}}}}}\n",
         (3, "components.etcd.flags.a", "line break")),
    _row("owned flag", f"{ONE}components: {{etcd: {{flags: {{data-dir: /srv}}}}}}\n",
         (3, "components.etcd.flags.data-dir", "is not free")),
    _row("owned flag, removed", f"{ONE}components: {{kube-apiserver: {{flags: {{etcd-servers: null}}}}}}\n",
         (3, "components.kube-apiserver.flags.etcd-servers", "is not free")),
    _row("owned setting", f"{ONE}components: {{kubelet: {{config: {{clusterDomain: a.b}}}}}}\n",
         (3, "components.kubelet.config.clusterDomain", "set network.dns_domain")),
    _row("date in a setting", f"{ONE}components: {{kubelet: {{config: {{a: [2026-01-01]}}}}}}\n",
         (3, "components.kubelet.config.a", "Quote it.")),
]  # fmt: skip

TOGETHER = [
    _row(
        "all at once",
        """\
name: Prod
kubernetes: {version: v1.2.3}
ssh: {key: ~/none, usr: me}
hosts:
  - {name: cp1, address: 10.96.0.1, roles: [control-plane]}
  - {name: cp1, address: nowhere, roles: [control-plane]}
network: {plugin: calico, mtu: big}
network: {}
api: {load_balancer: external}
artifacts: {source: mirror}
components: {etcd: {flags: {name: x}}}
""",
        (1, "name", "DNS label"),
        (2, "kubernetes.version", "not supported"),
        (3, "ssh.key", "there is no file"),
        (3, "ssh.usr", "Did you mean user?"),
        (4, "hosts", "2 hosts run etcd"),
        (5, "hosts[0].address", "lies in the Service network"),
        (6, "hosts[1].address", "no IP address"),
        (6, "hosts[1].name", "already that of the host in line 5"),
        (7, "network.plugin", "expected one of"),
        (7, "network.mtu", "expected a whole number"),
        (8, "network", "already given in line 7"),
        (9, "api.load_balancer", "Add api.endpoint"),
        (10, "artifacts.source", "Add artifacts.mirror"),
        (11, "components.etcd.flags.name", "is not free"),
    ),
    _row(
        "an invalid network is compared with nothing",
        _host("name: w1, address: 10.244.1.2, roles: [worker]") + "network: {pod_cidr: 10.244.0.0/40}\n",
        (4, "network.pod_cidr", "is no IPv4 network"),
    ),
    _row(
        "hosts without a known role are not counted",
        _hosts("control-plane", "control-plane", "wroker"),
        (4, "hosts[2].roles[0]", "Did you mean worker?"),
    ),
]  # fmt: skip

ROWS = [*YAML, *KEYS, *CLOUD, *HOSTS, *SSH, *NETWORK, *API, *REST, *TOGETHER]
