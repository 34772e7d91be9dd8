"""Which known failure it was that stopped a host: told by what modules return as data, and by ssh's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kubikk import error_codes as codes
from kubikk.ansible.events import Event
from kubikk.error_codes import Code
from kubikk.errors import KubikkError

_IMAGE_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})

# What OpenSSH and Ansible's privilege escalation say where no module could start, the first that fits.
_UNREACHABLE: tuple[tuple[str, Code], ...] = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", codes.HOST_KEY_CHANGED),
    ("REVOKED HOST KEY DETECTED", codes.HOST_KEY_CHANGED),
    ("Host key verification failed", codes.HOST_KEY_UNKNOWN),
    ("Permission denied (", codes.LOGIN_REFUSED),
    ("Missing sudo password", codes.SUDO_REFUSED),
    ("Incorrect sudo password", codes.SUDO_REFUSED),
    ("sudo: a password is required", codes.SUDO_REFUSED),
    ("waiting for privilege escalation prompt", codes.SUDO_REFUSED),
)

# What a component's journal says of causes that no module can see.
_IN_JOURNAL: tuple[tuple[re.Pattern[str], Code], ...] = (
    (re.compile("no space left on device", re.IGNORECASE), codes.DISK_FULL),
    (re.compile("address already in use", re.IGNORECASE), codes.PORT_TAKEN),
    (
        re.compile("x509: certificate has expired|certificate verify failed: certificate has expired"),
        codes.CERTIFICATE_EXPIRED,
    ),
)
_LISTEN = re.compile(r"listen (tcp|udp)\d? \S*:(\d+): bind: address already in use")
_NO_POD_ADDRESSES = re.compile("pod cidr not assigned", re.IGNORECASE)
_NO_LEADER = re.compile("RAFT NO LEADER|etcdserver: no leader|QGET ERROR")


def recognise(event: Event) -> KubikkError:
    """The error of a host that dropped out.

    Args:
        event: of kind ``failed`` or ``unreachable``.
    """
    return _by_failure(event.result.get("failure") or {}, event.host) or _by_words(event)


def _by_failure(found: Mapping[str, Any], host: str) -> KubikkError | None:
    """The error that a module described as data; None where it did not."""
    read = {
        "unit": _unit,
        "quorum": _quorum,
        "disk-full": _disk,
        "damaged": _damaged,
        "image": _image,
        "package": _package,
        "nodes": _nodes,
        "pods": _pods,
        "api": _api,
        "rolled-back": _rolled_back,
        "etcd": _etcd,
        "drain": _drain,
        "busy": _busy,
        "snapshot": _snapshot,
    }.get(found.get("kind", ""))
    return read(found, host) if read else None


def _by_words(event: Event) -> KubikkError:
    code = next((code for text, code in _UNREACHABLE if text in event.message), None)
    if code is None and event.kind == "unreachable":
        code = codes.UNREACHABLE
    if code is not None:
        return KubikkError(_TITLES[code], host=event.host, cause=event.message.removeprefix("Task failed: "), code=code)
    # Something that no code is for: its first line, and all of it.
    first, _, rest = event.message.partition("\n")
    where = event.task or event.role
    return KubikkError(
        f"{where}: {first}" if where else first,
        host=event.host,
        cause=rest.strip() or None,
        remedy="mend what the message names, then run the same command again; it goes on where it stopped",
    )


_TITLES = {
    codes.UNREACHABLE: "it did not answer over SSH",
    codes.HOST_KEY_CHANGED: "its host key has changed",
    codes.HOST_KEY_UNKNOWN: "its host key is not known",
    codes.LOGIN_REFUSED: "it does not let the user in",
    codes.SUDO_REFUSED: "sudo does not make the user root",
}


def _in_journal(lines: Iterable[str]) -> Code | None:
    text = "\n".join(lines)
    return next((code for pattern, code in _IN_JOURNAL if pattern.search(text)), None)


def _unit(found: Mapping[str, Any], host: str) -> KubikkError:
    unit, seen, recent = found["unit"], found["seen"], found["recent"]
    message, advice = f"{unit} is not healthy", (host, unit)
    code = _in_journal([seen, *recent])
    if code is codes.DISK_FULL:
        message = f"{unit} cannot write: the disk is full"
    elif code is codes.PORT_TAKEN:
        taken = _LISTEN.search("\n".join(recent))
        message = f"{unit} cannot listen: {f'{taken[1]} port {taken[2]}' if taken else 'its port'} is taken"
    elif code is codes.CERTIFICATE_EXPIRED:
        message = f"{unit} does not work: a certificate has expired"
    elif unit == "etcd" and _NO_LEADER.search("\n".join([seen, *recent])):
        code, message = codes.ETCD_NO_QUORUM, "etcd has no quorum"
    elif unit == "kube-apiserver":
        code = codes.API_UNHEALTHY
    elif _NO_POD_ADDRESSES.search("\n".join(recent)):
        # One that fails only once it leads comes back every few seconds: its own health check may have found it well.
        message = f"{unit} has no addresses for pods: kube-controller-manager has assigned none to this node"
        advice = ("the control-plane hosts", "kube-controller-manager")
    code = code or codes.UNIT_UNHEALTHY
    return KubikkError(
        message,
        host=host,
        cause=f"{unit} is {found['state']}; {seen}",
        remedy=code.advice(*advice),
        code=code,
        journal=tuple(found["journal"]),
    )


def _quorum(found: Mapping[str, Any], host: str) -> KubikkError:
    return KubikkError(
        f"{found['unit']} is not restarted: too few other members are healthy",
        host=host,
        cause=found["seen"],
        code=codes.ETCD_NO_QUORUM,
    )


def _disk(found: Mapping[str, Any], host: str) -> KubikkError:
    path = found.get("path") or ""
    cause = found.get("seen") or f"no space is left where {path or 'a file'} is to be written"
    return KubikkError("the disk is full", host=host, cause=cause, code=codes.DISK_FULL)


def _damaged(found: Mapping[str, Any], host: str) -> KubikkError:
    message = f"{found['file']} of {found['component']} arrived damaged"
    return KubikkError(message, host=host, cause=found["seen"], code=codes.CHECKSUM_WRONG)


def _image(found: Mapping[str, Any], host: str) -> KubikkError:
    code = codes.DISK_FULL if _in_journal([found["seen"]]) is codes.DISK_FULL else codes.IMAGE_MISSING
    return KubikkError("an image cannot be imported", host=host, cause=found["seen"], code=code)


def _package(found: Mapping[str, Any], host: str) -> KubikkError:
    return KubikkError("a package cannot be installed", host=host, cause=found["seen"], code=codes.PACKAGE_MISSING)


def _nodes(found: Mapping[str, Any], host: str) -> KubikkError:
    """Of one node it is told as that host's failure, of several as that of the host that asked."""
    nodes = found["nodes"]
    one = nodes[0]["name"] if len(nodes) == 1 else host
    return KubikkError(
        f"{', '.join(node['name'] for node in nodes)}: not Ready",
        host=one,
        cause="\n".join(f"{node['name']} {node['seen']}" for node in nodes),
        code=codes.NODE_NOT_READY,
    )


def _pods(found: Mapping[str, Any], host: str) -> KubikkError:
    lacking = [pod for pod in found["pods"] if pod["reason"] in _IMAGE_REASONS]
    lines = [f"{pod['name']} on {pod['node'] or 'no node'}: {pod['reason']}: {pod['seen']}" for pod in found["pods"]]
    cause = "\n".join([found["seen"], *lines])
    if lacking:
        images = ", ".join(sorted({pod["image"] for pod in lacking}))
        where = sorted({pod["node"] for pod in lacking})
        place = where[0] if len(where) == 1 else host
        return KubikkError(f"the image {images} is missing", host=place, cause=cause, code=codes.IMAGE_MISSING)
    return KubikkError("pods of an addon do not run", host=host, cause=cause, code=codes.PODS_UNAVAILABLE)


def _etcd(found: Mapping[str, Any], host: str) -> KubikkError:
    """What etcd said of its members or to the API server: it has no quorum, or it is for the operator to read."""
    text = found["seen"]
    if _NO_LEADER.search(text) or "request timed out" in text or "context deadline exceeded" in text:
        return KubikkError(
            "etcd has no quorum",
            host=host,
            cause=text,
            remedy=codes.ETCD_NO_QUORUM.advice(host, "etcd"),
            code=codes.ETCD_NO_QUORUM,
            journal=tuple(found.get("journal", ())),
        )
    remedy = "mend what etcd says, then run the same command again; it goes on where it stopped"
    return KubikkError("etcd refuses a change of its members", host=host, cause=text, remedy=remedy)


def _snapshot(found: Mapping[str, Any], host: str) -> KubikkError:
    return KubikkError("the snapshot is not good", host=host, cause=found["seen"], code=codes.SNAPSHOT_FAILED)


def _api(found: Mapping[str, Any], host: str) -> KubikkError:
    code = _in_journal([found["seen"]]) or codes.API_UNHEALTHY
    return KubikkError("the API does not answer kubectl as it should", host=host, cause=found["seen"], code=code)


def _drain(found: Mapping[str, Any], host: str) -> KubikkError:
    return KubikkError(
        f"the pods of node {found['node']} could not be moved, and it stays as it is",
        host=host,
        cause=found["seen"],
        code=codes.NODE_NOT_DRAINED,
    )


def _busy(found: Mapping[str, Any], host: str) -> KubikkError:
    return KubikkError("another run is changing the host", host=host, cause=found["seen"], code=codes.HOST_BUSY)


def _rolled_back(found: Mapping[str, Any], host: str) -> KubikkError:
    """Where nothing was changed yet, what stopped it is all there is to say."""
    why = _by_failure(found["of"], host)
    runs = ", ".join(f"{name} {version}" for name, version in sorted(found["versions"].items()))
    if why is not None and not runs:
        return why
    message = why.message if why else "a step failed"
    back = f"was given back what it ran before ({runs})" if runs else "was not changed"
    if found["trouble"]:
        back = f"{back}, which does not run either: {found['trouble']}"
    return KubikkError(
        f"{message}; the host {back}",
        host=host,
        cause=(why.cause if why else None) or found["seen"],
        code=codes.ROLLED_BACK,
        journal=why.journal if why else (),
    )
