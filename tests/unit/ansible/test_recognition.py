"""Which error an event of Ansible is."""

from __future__ import annotations

from typing import Any

import pytest

from kubikk import error_codes as codes
from kubikk.ansible.events import Event
from kubikk.ansible.recognition import recognise
from kubikk.error_codes import CODES, Code


def unit(name: str, seen: str = "not healthy after 60 s: refused", recent: tuple[str, ...] = ()) -> dict[str, Any]:
    lines = ["an older line: no space left on device, bind: address already in use", *recent]
    return {
        "kind": "unit",
        "unit": name,
        "state": "activating (auto-restart)",
        "seen": seen,
        "journal": lines,
        "recent": list(recent),
    }


def pods(reason: str, node: str = "w1") -> dict[str, Any]:
    pod = {"name": "kube-system/coredns-1", "node": node, "image": "coredns:1", "reason": reason, "seen": "it says so"}
    return {"kind": "pods", "seen": "0 of 2 pods available", "pods": [pod]}


def rolled_back(of: dict[str, Any], trouble: str = "", **versions: str) -> dict[str, Any]:
    return {"kind": "rolled-back", "seen": "it says so", "of": of, "versions": versions, "trouble": trouble}


STUCK = {"kind": "drain", "node": "w1", "seen": "cannot evict pod"}
NO_ADDRESSES = 'Error registering network: failed to acquire lease: node "w1" pod cidr not assigned'
TAKEN = 'run.go:72] "command failed" err="listen tcp 0.0.0.0:10250: bind: address already in use"'

# failure, expected code, host that is named, part of the message or cause
FAILURES: list[tuple[dict[str, Any], Code | None, str, str]] = [
    (unit("kubelet"), codes.UNIT_UNHEALTHY, "cp1", "kubelet is not healthy"),
    (STUCK, codes.NODE_NOT_DRAINED, "cp1", "the pods of node w1 could not be moved"),
    (rolled_back(unit("etcd"), etcd="3.6.14"), codes.ROLLED_BACK, "cp1", "given back what it ran before (etcd 3.6.14)"),
    (rolled_back(unit("etcd"), etcd="3.6.14"), codes.ROLLED_BACK, "cp1", "not healthy after 60 s"),
    (rolled_back(unit("etcd"), "it is failed", etcd="3.6.14"), codes.ROLLED_BACK, "cp1", "does not run either: it is"),
    (rolled_back({}, etcd="3.6.14"), codes.ROLLED_BACK, "cp1", "it says so"),
    # Nothing was changed yet: what stopped it is all there is to say.
    (rolled_back(STUCK), codes.NODE_NOT_DRAINED, "cp1", "the pods of node w1 could not be moved"),
    (rolled_back({}), codes.ROLLED_BACK, "cp1", "a step failed; the host was not changed"),
    (unit("kube-apiserver"), codes.API_UNHEALTHY, "cp1", "kube-apiserver is not healthy"),
    (unit("etcd"), codes.UNIT_UNHEALTHY, "cp1", "etcd is not healthy"),
    (unit("etcd", 'answers 503: {"health":"false","reason":"RAFT NO LEADER"}'), codes.ETCD_NO_QUORUM, "cp1", "quorum"),
    (unit("flanneld"), codes.UNIT_UNHEALTHY, "cp1", "flanneld is not healthy"),
    (
        unit("flanneld", recent=(NO_ADDRESSES,)),
        codes.UNIT_UNHEALTHY,
        "cp1",
        "kube-controller-manager has assigned none",
    ),
    (unit("kubelet", recent=(TAKEN,)), codes.PORT_TAKEN, "cp1", "tcp port 10250 is taken"),
    (unit("etcd", recent=("wal: no space left on device",)), codes.DISK_FULL, "cp1", "the disk is full"),
    (
        unit("kubelet", recent=("tls: x509: certificate has expired or is not yet valid",)),
        codes.CERTIFICATE_EXPIRED,
        "cp1",
        "a certificate has expired",
    ),
    ({"kind": "quorum", "unit": "etcd", "seen": "1 of 2 healthy"}, codes.ETCD_NO_QUORUM, "cp1", "1 of 2 healthy"),
    ({"kind": "disk-full", "path": "/etc/x"}, codes.DISK_FULL, "cp1", "/etc/x"),
    ({"kind": "disk-full", "path": ""}, codes.DISK_FULL, "cp1", "no space is left"),
    ({"kind": "damaged", "file": "etcd", "component": "etcd", "seen": "x"}, codes.CHECKSUM_WRONG, "cp1", "damaged"),
    ({"kind": "image", "seen": "ctr: not an archive"}, codes.IMAGE_MISSING, "cp1", "not an archive"),
    ({"kind": "image", "seen": "write: no space left on device"}, codes.DISK_FULL, "cp1", "write"),
    ({"kind": "package", "seen": "E: Unable to locate"}, codes.PACKAGE_MISSING, "cp1", "Unable to locate"),
    (
        {"kind": "nodes", "nodes": [{"name": "w1", "seen": "is not Ready: cni plugin not initialized"}], "seen": ""},
        codes.NODE_NOT_READY,
        "w1",
        "cni plugin not initialized",
    ),
    (
        {"kind": "nodes", "nodes": [{"name": "w1", "seen": "a"}, {"name": "w2", "seen": "b"}], "seen": ""},
        codes.NODE_NOT_READY,
        "cp1",
        "w1, w2: not Ready",
    ),
    (pods("ErrImagePull"), codes.IMAGE_MISSING, "w1", "coredns:1 is missing"),
    (pods("CrashLoopBackOff"), codes.PODS_UNAVAILABLE, "cp1", "CrashLoopBackOff"),
    ({"kind": "api", "seen": "connection refused"}, codes.API_UNHEALTHY, "cp1", "connection refused"),
    ({"kind": "api", "seen": "x509: certificate has expired"}, codes.CERTIFICATE_EXPIRED, "cp1", "x509"),
    ({"kind": "etcd", "seen": "context deadline exceeded", "journal": ["x"]}, codes.ETCD_NO_QUORUM, "cp1", "no quorum"),
    ({"kind": "drain", "node": "w1", "seen": "disruption budget"}, codes.NODE_NOT_DRAINED, "cp1", "of node w1"),
    ({"kind": "busy", "seen": "process 7 of another run"}, codes.HOST_BUSY, "cp1", "process 7"),
    ({"kind": "snapshot", "seen": "expected sha256 [1], got [2]"}, codes.SNAPSHOT_FAILED, "cp1", "expected sha256"),
    ({"kind": "etcd", "seen": "etcdserver: request timed out"}, codes.ETCD_NO_QUORUM, "cp1", "timed out"),
    ({"kind": "etcd", "seen": "etcdserver: too many learner members"}, None, "cp1", "too many learner"),
    ({}, None, "cp1", "it broke"),
    ({"kind": "of a newer version"}, None, "cp1", "it broke"),
]


@pytest.mark.parametrize(("failure", "code", "host", "text"), FAILURES)
def test_failure(failure: dict[str, Any], code: Code | None, host: str, text: str) -> None:
    error = recognise(Event("failed", 0.0, task="Run it", host="cp1", message="it broke", result={"failure": failure}))
    assert error.code is code
    assert error.host == host
    assert text in f"{error.message} {error.cause}"
    assert error.remedy


def test_journal_is_shown_whole() -> None:
    error = recognise(Event("failed", 0.0, host="cp1", result={"failure": unit("kubelet", recent=("new",))}))
    assert len(error.journal) == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Failed to connect to the host via ssh: connect to host 10.0.0.1 port 22: timed out", codes.UNREACHABLE),
        (
            "@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@\nHost key verification failed.",
            codes.HOST_KEY_CHANGED,
        ),
        ("No ED25519 host key is known for 10.0.0.1\nHost key verification failed.", codes.HOST_KEY_UNKNOWN),
        ("root@10.0.0.1: Permission denied (publickey).", codes.LOGIN_REFUSED),
        ("Missing sudo password", codes.SUDO_REFUSED),
    ],
)
def test_unreachable(message: str, code: Code) -> None:
    error = recognise(Event("unreachable", 0.0, host="w1", message=message))
    assert error.code is code
    assert error.host == "w1"


def test_codes_are_unique_and_in_order() -> None:
    ids = [code.id for code in CODES]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.id)
def test_code_says_what_to_do(code: Code) -> None:
    assert code.title[-1] != "."
    assert code.cause[-1] == "."
    assert code.advice("w1", "kubelet")[-1] == "."
    assert "{" not in code.advice("w1", "kubelet")
