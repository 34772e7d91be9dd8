"""Draws hosts.svg, what runs where: `python docs/images/hosts.py`."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1000, 560
COLOURS = {
    "machine": ("#fff7e6", "#c98a1b"),
    "control": ("#e8f0fe", "#3b6fd4"),
    "etcd": ("#e6f4ea", "#2e8b57"),
    "node": ("#f3eefc", "#7a5bc2"),
    "edge": ("#fdecea", "#c25450"),
    "pods": ("#ffffff", "#888888"),
    "host": ("#fafafa", "#555555"),
}
CONTROL_PLANE = (
    ("etcd", "etcd", "2379 clients, 2380 peers"),
    ("kube-apiserver", "control", "6443"),
    ("kube-controller-manager", "control", "127.0.0.1:10257"),
    ("kube-scheduler", "control", "127.0.0.1:10259"),
)
WORKER = (("haproxy", "edge", "127.0.0.1:6443, to all API servers"),)
NODE = (
    ("kubelet", "node", "10250"),
    ("containerd, runc", "node", "unix socket"),
    ("kube-proxy", "node", "iptables; 127.0.0.1:10249, :10256"),
    ("flanneld", "node", "vxlan; UDP 8472"),
)
MACHINE = (
    ("kubectl", "with the generated kubeconfig"),
    ("cluster.yml", "hosts, and your settings"),
    ("kubikk", "checks, certificates, binaries"),
    ("inventory/<name>/", "hosts.yml, pki/, kubeconfig"),
    ("ansible-playbook", "one role per component"),
)


def box(x: float, y: float, width: float, height: float, kind: str, *, radius: int = 6) -> str:
    """A rectangle in the colours of its kind."""
    fill, stroke = COLOURS[kind]
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.3"/>'
    )


def text(x: float, y: float, content: str, style: str = "", *, anchor: str = "start") -> str:
    """A line of text; style is one of the classes in the picture's head."""
    return f'<text x="{x}" y="{y}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>'


def arrow(points: str, label: str = "", at: tuple[float, float] = (0, 0)) -> str:
    """A line with a head, and words beside it."""
    line = f'<polyline points="{points}" fill="none" stroke="#444" stroke-width="1.5" marker-end="url(#head)"/>'
    return line + (text(*at, label, "small", anchor="middle") if label else "")


def service(x: float, y: float, width: float, entry: tuple[str, str, str]) -> str:
    """A process: its name, and where it listens."""
    name, kind, where = entry
    return box(x, y, width, 38, kind) + text(x + 9, y + 16, name, "name") + text(x + 9, y + 30, where, "small")


def host(x: float, title: str, entries: tuple[tuple[str, str, str], ...], pods: str) -> str:
    """A host with its processes, from the top down, and its pods at the bottom."""
    width, top = 262, 24
    parts = [box(x, top, width, 440, "host", radius=10), text(x + 12, top + 22, title, "title")]
    bottom = top + 440 - 10 - 32
    node_top = bottom - 4 * 43 - 4
    parts += [service(x + 10, top + 32 + 43 * row, width - 20, entry) for row, entry in enumerate(entries)]
    parts += [service(x + 10, node_top + 43 * row, width - 20, entry) for row, entry in enumerate(NODE)]
    parts.append(box(x + 10, bottom, width - 20, 32, "pods") + text(x + 19, bottom + 20, pods, "name"))
    return "".join(parts)


def machine() -> str:
    """The control node."""
    parts = [box(16, 24, 236, 440, "machine", radius=10), text(28, 46, "Your machine", "title")]
    for row, (name, what) in enumerate(MACHINE):
        y = 78 + row * 76
        parts.append(box(26, y, 216, 48, "pods") + text(35, y + 20, name, "name") + text(35, y + 37, what, "small"))
        if row > 1:
            parts.append(arrow(f"134,{y - 28} 134,{y - 2}"))
    return "".join(parts)


def picture() -> str:
    """The whole drawing."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif">'
        "<title>What runs where in a Kubikk cluster</title>"
        "<style>.title{font-size:14px;font-weight:bold}.name{font-size:13px}.small{font-size:11px;fill:#555}</style>"
        '<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#444"/></marker></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    )
    parts = [
        machine(),
        host(322, "cp1, cp2, cp3: control plane", CONTROL_PLANE, "pods: CoreDNS"),
        host(722, "w1, w2, …: workers", WORKER, "pods: yours"),
        arrow("242,102 290,102 290,118 330,118", "TLS", (284, 94)),
        arrow("242,406 320,406", "SSH", (286, 398)),
        arrow("732,75 630,75 630,118 576,118", "TLS", (652, 67)),
        box(322, 486, 662, 30, "pods"),
        text(653, 505, "pod network 10.244.0.0/16, one /24 a host · Services 10.96.0.0/12", "name", anchor="middle"),
        arrow("453,464 453,484"),
        arrow("853,464 853,484"),
        text(
            322,
            542,
            "Beyond a host's own loopback everything is TLS. Three authorities: cluster, etcd, front proxy.",
            "small",
        ),
    ]
    return head + "\n".join(parts) + "</svg>\n"


if __name__ == "__main__":
    Path(__file__).with_name("hosts.svg").write_text(picture())
