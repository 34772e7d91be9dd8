"""Causes of the failures that have a code: each begins when it is entered and is undone when it is left."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509

from tests.cluster.chaos.site import Site
from tests.cluster.support.binaries import take_binaries
from tests.cluster.support.expiry import expired
from tests.cluster.support.labs import OwnLab
from tests.cluster.support.waiting import until

Cause = Callable[[OwnLab], AbstractContextManager[None]]

_KUBECTL = "/usr/local/bin/kubectl --kubeconfig /etc/kubernetes/admin.conf"
SECRET = "open-sesame-9"
"""A password in the mirror's address, which nothing may show."""


def on_host(host: str, begin: str, end: str, *, until_node_says: str = "") -> Cause:
    """Commands on a host, run from outside, so that they work where SSH does not.

    Args:
        host: the host.
        begin: causes it.
        end: undoes it.
        until_node_says: what the message of the node's Ready condition must hold before it counts as begun.
    """

    @contextmanager
    def cause(own: OwnLab) -> Iterator[None]:
        site = Site(own.lab)
        site.inside(host, begin)
        try:
            if until_node_says:
                until(lambda: until_node_says in _not_ready(site, host), f"the node says {until_node_says}", within=150)
            yield
        finally:
            site.inside(host, end)
            if until_node_says:
                until(lambda: not _not_ready(site, host), "the node is Ready", within=90)

    return cause


def _not_ready(site: Site, host: str) -> str:
    """Why a node is not Ready, as its Ready condition says; "" where it is."""
    path = '{range .status.conditions[?(@.type=="Ready")]}{.status} {.message}{end}'
    status, _, message = site.inside("cp1", f"{_KUBECTL} get node {host} -o jsonpath='{path}'").partition(" ")
    return "" if status == "True" else message


@contextmanager
def other_host_key(own: OwnLab) -> Iterator[None]:
    """The worker gets new host keys, as after being installed anew."""
    site = Site(own.lab)
    site.inside("w1", "cp -a /etc/ssh /etc/ssh.before && rm /etc/ssh/ssh_host_* && ssh-keygen -qA")
    site.inside("w1", "systemctl restart ssh")
    for pid in site.sessions("w1"):
        os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        site.inside("w1", "rm -r /etc/ssh && mv /etc/ssh.before /etc/ssh && systemctl restart ssh")
        for pid in site.sessions("w1"):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def edited(own: OwnLab, change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The cluster file says something else."""
    before = own.file.read_text()
    own.edit(change)
    try:
        yield
    finally:
        own.file.write_text(before)


def setting(*path: str, value: Any) -> Cause:
    """A setting of the cluster file under ``components``."""

    def change(content: dict[str, Any]) -> None:
        place = content["components"]
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value

    return lambda own: edited(own, change)


def user_without_sudo(own: OwnLab) -> AbstractContextManager[None]:
    """The worker is logged in to as a user whose sudo wants a password."""

    def change(content: dict[str, Any]) -> None:
        content["hosts"][1]["ssh"] = {"user": "deployer"}

    return edited(own, change)


@contextmanager
def elsewhere(own: OwnLab, mirror: str) -> Iterator[None]:
    """Artifacts come from a mirror, and none is in the cache."""

    def change(content: dict[str, Any]) -> None:
        content["artifacts"] = {"source": "mirror", "mirror": mirror}

    with edited(own, change):
        before = os.environ.get("KUBIKK_CACHE")
        os.environ["KUBIKK_CACHE"] = str(own.directory.parent / "empty-cache")
        try:
            yield
        finally:
            del os.environ["KUBIKK_CACHE"]
            if before is not None:
                os.environ["KUBIKK_CACHE"] = before


def silent_mirror(own: OwnLab) -> AbstractContextManager[None]:
    """Nobody listens at the mirror's address."""
    return elsewhere(own, f"http://operator:{SECRET}@127.0.0.1:9/kubikk")


class _Forger(BaseHTTPRequestHandler):
    """Answers everything, with what was never published."""

    def do_GET(self) -> None:
        checksum = self.path.endswith(".sha256")
        body = b"0" * 64 if checksum else b"not what was published"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def forging_mirror(own: OwnLab) -> Iterator[None]:
    """The mirror serves other files than were published."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Forger) as server, ExitStack() as stack:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        stack.enter_context(elsewhere(own, f"http://127.0.0.1:{server.server_port}"))
        yield


def stopped(own_hosts: dict[str, str]) -> Cause:
    """Processes hang: unit by host, each in the state in which a debugger or a dead disk leaves it."""

    @contextmanager
    def cause(own: OwnLab) -> Iterator[None]:
        site = Site(own.lab)
        for host, unit in own_hosts.items():
            site.inside(host, f"systemctl kill --signal=STOP {unit}")
        try:
            yield
        finally:
            for host, unit in own_hosts.items():
                site.inside(host, f"systemctl kill --signal=CONT {unit}")

    return cause


@contextmanager
def expired_authority(own: OwnLab) -> Iterator[None]:
    """The cluster's authority is past its time."""
    path = own.directory / "pki" / "ca.crt"
    before = path.read_bytes()
    path.write_bytes(expired(x509.load_pem_x509_certificate(before), own.directory / "pki"))
    try:
        yield
    finally:
        path.write_bytes(before)


@contextmanager
def pruned_image(own: OwnLab) -> Iterator[None]:
    """Something on every host removes CoreDNS's image again and again, and its pods are started anew."""
    site = Site(own.lab)
    ctr = "/usr/local/bin/ctr -n k8s.io images"
    loop = f"while :; do {ctr} rm $({ctr} ls -q | grep coredns) >/dev/null 2>&1; sleep 0.1; done"
    hosts = [host.name for host in own.lab.hosts()]
    pods = f"{_KUBECTL} -n kube-system get pods -l k8s-app=kube-dns"
    try:
        for host in hosts:
            site.inside(host, f"systemd-run --quiet --unit=pruner sh -c {shlex.quote(loop)}")
        site.inside("cp1", f"{_KUBECTL} -n kube-system delete pods -l k8s-app=kube-dns --now")
        reasons = f"{pods} -o jsonpath='{{.items[*].status.containerStatuses[*].state.waiting.reason}}'"
        until(lambda: "Image" in site.inside("cp1", reasons), "the image is missed", within=120)
        yield
    finally:
        for host in hosts:
            site.inside(host, "systemctl stop pruner", check=False)


@contextmanager
def damaged_in_transit(own: OwnLab) -> Iterator[None]:
    """A binary has to be sent, and arrives with a byte turned."""
    site = Site(own.lab)
    take_binaries(site.inside, "w1", "kube-proxy", missing_ok=True)
    staging = site.root("w1") / "var/tmp/kubikk-staging-root"
    over = threading.Event()

    def damage() -> None:
        while not over.wait(0.002):
            with contextlib.suppress(OSError):
                for path in staging.iterdir():
                    _turn_a_byte(path)

    watcher = threading.Thread(target=damage)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _turn_a_byte(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(1000)
        if stream.read(1):
            stream.seek(1000)
            stream.write(b"\xff" if stream.read(1) != b"\xff" else b"\x00")


def full(directory: str, without: str = "") -> str:
    """A command: a small file system without room takes a directory's place, with its content but for one file."""
    return (
        f"mkdir -p {directory} && cp -a {directory} /run/kept && mount -t tmpfs -o size=256k,mode=755 full {directory}"
        f" && cp -a /run/kept/. {directory} && rm -r /run/kept {f'{directory}/{without}' if without else ''}"
        f" && {{ cat /dev/zero > {directory}/filler; test -s {directory}/filler; }} 2>/dev/null"
    )


def read_cluster_file(own: OwnLab) -> dict[str, Any]:
    """The cluster file's content."""
    content: dict[str, Any] = yaml.safe_load(own.file.read_text())
    return content
