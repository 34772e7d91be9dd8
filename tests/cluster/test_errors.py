"""Failures that have a code, each caused for real: what is read on the terminal, in the journal and in the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kubikk import error_codes as codes
from kubikk.ansible.journal import past_runs
from kubikk.error_codes import CODES, Code
from kubikk.report import render
from tests.cluster.support import causes
from tests.cluster.support.causes import Cause, full, on_host, setting
from tests.cluster.support.labs import OwnLab, own_lab
from tests.cluster.support.runs import changes, kubikk, runs

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

_WORKER = ("--limit", "w1", "--skip-preflight")
_CRI_OFF = "printf 'version = 3\\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\\n' > /run/no-cri.toml"
_DROPIN = "/run/systemd/system/containerd.service.d"
_SHIFTED = "SetEnv LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 FAKETIME=+90s"


@dataclass(frozen=True)
class Row:
    """One cause and what is read of it.

    Attributes:
        title: what happens.
        cause: makes it happen.
        code: how it is told.
        host: the host that is named; "" where it is about none.
        says: what stands in the message, too.
        arguments: of `kubikk up`.
    """

    title: str
    cause: Cause
    code: Code
    host: str
    says: tuple[str, ...]
    arguments: tuple[str, ...] = ()


ROWS = (
    Row(
        "host unreachable",
        on_host(
            "w1",
            "iptables -I INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset",
            "iptables -D INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset",
        ),
        codes.UNREACHABLE,
        "w1",
        ("Connection refused", "did not answer over SSH"),
        ("--limit", "w1"),
    ),
    Row(
        "host key changed",
        causes.other_host_key,
        codes.HOST_KEY_CHANGED,
        "w1",
        ("its host key has changed", "ssh-keygen -R"),
        ("--limit", "w1"),
    ),
    Row(
        "sudo refused",
        causes.user_without_sudo,
        codes.SUDO_REFUSED,
        "w1",
        ("password", "--ask-become-pass"),
        ("--limit", "w1"),
    ),
    Row(
        "disk full where files go",
        on_host("w1", full("/etc/kubernetes/flannel", without="net-conf.json"), "umount -l /etc/kubernetes/flannel"),
        codes.DISK_FULL,
        "w1",
        ("/etc/kubernetes/flannel", "Make room on w1"),
        _WORKER,
    ),
    Row(
        "disk full where binaries arrive",
        on_host("w1", f"rm -f /opt/kubikk/kube-proxy/*/kube-proxy; {full('/var/tmp')}", "umount -l /var/tmp"),
        codes.DISK_FULL,
        "w1",
        ("/var/tmp",),
        _WORKER,
    ),
    Row(
        "clock skew",
        on_host(
            "w1",
            f"echo '{_SHIFTED}' > /etc/ssh/sshd_config.d/clock.conf && systemctl reload ssh",
            "rm /etc/ssh/sshd_config.d/clock.conf && systemctl reload ssh",
        ),
        codes.CLOCK_SKEW,
        "w1",
        ("s ahead of this machine's", "NTP"),
    ),
    Row(
        "port taken, before anything is done",
        on_host(
            "w1",
            "systemctl stop kube-proxy && systemd-run --quiet --unit=squatter python3 -m http.server 10256",
            "systemctl stop squatter",
        ),
        codes.PORT_TAKEN,
        "w1",
        ("tcp port 10256", "systemctl disable --now squatter.service"),
    ),
    Row(
        "port taken, seen by the component",
        on_host(
            "w1",
            "systemctl stop kubelet"
            " && systemd-run --quiet --unit=squatter python3 -m http.server --bind 127.0.0.1 10248",
            "systemctl stop squatter",
        ),
        codes.PORT_TAKEN,
        "w1",
        ("kubelet cannot listen", "tcp port 10248 is taken", "last lines of its journal"),
        (*_WORKER, "--wait", "12"),
    ),
    Row(
        "checksum wrong, of a download",
        causes.forging_mirror,
        codes.CHECKSUM_WRONG,
        "",
        ("is not the file that was published", "sha256 expected"),
        ("--skip-preflight",),
    ),
    Row(
        "checksum wrong, of what arrives",
        causes.damaged_in_transit,
        codes.CHECKSUM_WRONG,
        "w1",
        ("kube-proxy of kube-proxy arrived damaged",),
        _WORKER,
    ),
    Row(
        "artifact unreachable",
        causes.silent_mirror,
        codes.ARTIFACT_UNREACHABLE,
        "",
        ("could not download http://", "Connection refused", "check that this machine reaches"),
        ("--skip-preflight",),
    ),
    Row(
        "image missing",
        causes.pruned_image,
        codes.IMAGE_MISSING,
        "",
        ("coredns", "is missing", "crictl images"),
        ("--skip-preflight", "--wait", "10"),
    ),
    Row(
        "node not Ready: the pod network",
        on_host(
            "w1",
            "echo '{' > /etc/cni/net.d/00-broken.conflist",
            "rm /etc/cni/net.d/00-broken.conflist",
            until_node_says="cni",
        ),
        codes.NODE_NOT_READY,
        "w1",
        ("w1: not Ready", "cni"),
        (*_WORKER, "--wait", "8"),
    ),
    Row(
        "node not Ready: the runtime",
        on_host(
            "w1",
            f"{_CRI_OFF} && mkdir -p {_DROPIN} && printf '[Service]\\nExecStart=\\n"
            f"ExecStart=/usr/local/bin/containerd --config /run/no-cri.toml\\n' > {_DROPIN}/foreign.conf"
            " && systemctl daemon-reload && systemctl restart containerd",
            f"rm -r {_DROPIN} && systemctl daemon-reload && systemctl restart containerd",
            until_node_says="container runtime",
        ),
        codes.NODE_NOT_READY,
        "w1",
        ("w1: not Ready", "container runtime"),
        (*_WORKER, "--wait", "8"),
    ),
    Row(
        "node not Ready: kubelet",
        setting("kubelet", "config", "evictionHard", value={"memory.available": "lots"}),
        codes.UNIT_UNHEALTHY,
        "w1",
        ("kubelet is not healthy", "quantities must match", "journalctl -u kubelet"),
        (*_WORKER, "--wait", "8"),
    ),
    Row(
        "certificate expired: the authority's",
        causes.expired_authority,
        codes.CERTIFICATE_EXPIRED,
        "",
        ("ca.crt expired on",),
        ("--skip-preflight",),
    ),
    # The last: without an API server, nothing else can be caused.
    Row(
        "API server not healthy",
        setting("kube-apiserver", "flags", "max-requests-inflight", value="many"),
        codes.API_UNHEALTHY,
        "cp1",
        ('invalid argument "many"', "kube-apiserver is not healthy", "components.kube-apiserver.flags"),
        ("--skip-preflight", "--wait", "8"),
    ),
)


@pytest.fixture(scope="module")
def own(lab_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnLab]:
    """A small cluster with what some causes need on its worker."""
    with own_lab(f"{lab_name}-errors", tmp_path_factory.mktemp("errors"), control_planes=1, workers=1) as own:
        own.run(
            "w1",
            "apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive"
            " apt-get -qq install --no-install-recommends sudo libfaketime >/dev/null"
            " && useradd --create-home --shell /bin/bash deployer && echo 'deployer ALL=(ALL) ALL' >/etc/sudoers.d/it"
            " && install -d -m 700 -o deployer ~deployer/.ssh"
            " && install -m 600 -o deployer ~/.ssh/authorized_keys ~deployer/.ssh/authorized_keys",
        )
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
        yield own


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_what_is_said(row: Row, own: OwnLab) -> None:
    with row.cause(own):
        result = kubikk("up", "-f", str(own.file), *row.arguments)
    said = " ".join(result.stdout.split())
    print(result.stdout)
    assert result.returncode == 1, result.stdout
    assert "Traceback" not in said
    for expected in (f"({row.code.id})", row.host, "next: ", *row.says):
        assert expected in said, f"{expected!r} is not in:\n{result.stdout}"
    assert causes.SECRET not in said
    listed = json.loads(kubikk("runs", "--json", "-f", str(own.file)).stdout)[-1]
    assert listed["state"] == "failed"
    found = [one for error in listed["errors"] for one in error.get("problems") or [error]]
    assert (row.code.id, row.host) in [(one["code"], one.get("host") or one.get("place") or "") for one in found] or (
        row.host == "" and row.code.id in [one["code"] for one in found]
    ), found
    page = render(past_runs(own.directory)[-1])
    assert row.code.id in page
    assert causes.SECRET not in page


def test_everything_is_as_before(own: OwnLab) -> None:
    """What was broken by hand is healed by `up`, and then there is nothing left to do."""
    for _ in range(2):
        result = kubikk("up", "-f", str(own.file))
        assert result.returncode == 0, result.stdout
    assert changes(runs(own.directory)[-1]) == []


def test_no_secret_is_kept(own: OwnLab) -> None:
    """Neither of runs that went well nor of those that failed."""
    pki = own.directory / "pki"
    secrets = [(pki / "encryption.key").read_text().strip(), causes.SECRET]
    for key in pki.rglob("*.key"):
        secrets += [line for line in key.read_text().splitlines() if len(line) > 40 and "-----" not in line]
    assert len(secrets) > 20
    kept = [path for run in runs(own.directory) for path in run.iterdir()]
    assert len(kept) > 60
    for path in kept:
        content = path.read_text(errors="replace")
        assert "PRIVATE KEY" not in content, path
        assert not [secret for secret in secrets if secret in content], path


def test_every_code_that_operators_meet_has_a_cause_here() -> None:
    # What needs three members, pods with a budget, a snapshot or another version: the tests of these cause it.
    elsewhere = {codes.ETCD_NO_QUORUM, codes.NODE_NOT_DRAINED, codes.SNAPSHOT_FAILED, codes.QUORUM_AT_RISK}
    elsewhere |= {codes.UPGRADE_NEEDED, codes.ROLLED_BACK}
    rare = {codes.HOST_KEY_UNKNOWN, codes.LOGIN_REFUSED, codes.PORT_CLOSED, codes.NOT_FIT}  # unit tests
    rare |= {codes.PACKAGE_MISSING, codes.PODS_UNAVAILABLE, codes.HOST_BUSY}
    assert {row.code for row in ROWS} == set(CODES) - elsewhere - rare
