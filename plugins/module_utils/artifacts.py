"""Binaries and image archives on a host: /opt/kubikk/<component>/<version>/<file>, each verified by its sha256."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

from . import selinux
from .failures import naming
from .files import ensure_link, write_atomically

ROOT = "/opt/kubikk"
RECORD = ".sha256.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class DamagedError(ValueError):
    """A file is not what was sent.

    Args:
        text: what is wrong.
        name: of the file.
        component: it belongs to.
    """

    def __init__(self, text, name, component):
        super().__init__(text)
        self.failure = {"kind": "damaged", "file": name, "component": component, "seen": text}


def sha256_of(path):
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def directory_of(artifact, root=ROOT):
    """Where the files of an artifact lie."""
    return os.path.join(root, artifact["component"], artifact["version"])


def _stamp(path):
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _boot():
    with open(BOOT_ID) as stream:
        return stream.read().strip()


def _read_record(directory):
    try:
        with open(os.path.join(directory, RECORD)) as stream:
            record = json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}
    # Binaries are not flushed to disk one by one, which would take longer than sending them. So what was hashed before
    # the last boot is hashed again: a power loss may have torn it.
    return record["files"] if record.get("boot") == _boot() else {}


def _write_record(directory, files):
    text = json.dumps({"boot": _boot(), "files": files}, sort_keys=True)
    write_atomically(os.path.join(directory, RECORD), text.encode(), os.geteuid(), os.getegid(), 0o644)


def installed(artifact, root=ROOT):
    """Which files of an artifact are on the host with the right content.

    A file is hashed again only where size, time or inode differ from when it was last hashed, so that a replaced
    binary is noticed and a converged host does not read hundreds of megabytes.
    """
    directory = directory_of(artifact, root)
    record = _read_record(directory)
    present = {}
    for name, wanted in artifact["files"].items():
        path = os.path.join(directory, name)
        try:
            stamp = _stamp(path)
        except FileNotFoundError:
            continue
        known = record.get(name)
        digest = known["sha256"] if known and known["stamp"] == stamp else sha256_of(path)
        if digest == wanted["sha256"]:
            present[name] = {"sha256": digest, "stamp": stamp}
    if present and present != record and os.access(directory, os.W_OK):
        _write_record(directory, present)
    return present


def missing(artifacts, root=ROOT):
    """The files that must be shipped: [{sha256, name, component}]."""
    lacking = []
    for artifact in artifacts:
        present = installed(artifact, root)
        lacking += [
            {"sha256": wanted["sha256"], "name": name, "component": artifact["component"]}
            for name, wanted in sorted(artifact["files"].items())
            if name not in present
        ]
    return lacking


def install(artifact, staging, root=ROOT):
    """Moves shipped files into place.

    Args:
        artifact: {component, version, files: {name: {sha256}}}.
        staging: directory with the shipped files, each named by its sha256.

    Returns:
        Names of the files that were installed.

    Raises:
        ValueError: a shipped file is missing or is not what was promised.
    """
    directory = directory_of(artifact, root)
    present = installed(artifact, root)
    done = []
    for name, wanted in sorted(artifact["files"].items()):
        shipped = os.path.join(staging, wanted["sha256"])
        if name in present:
            if staging and os.path.exists(shipped):
                os.unlink(shipped)
            continue
        if not os.path.exists(shipped):
            raise ValueError("%s of %s did not arrive on the host" % (name, artifact["component"]))
        os.makedirs(directory, mode=0o755, exist_ok=True)
        temporary = os.path.join(directory, ".kubikk-" + name)
        # A rename where staging is on the same file system; hashed where its sender cannot change it any more.
        with naming(temporary):
            shutil.move(shipped, temporary)
        os.chown(temporary, os.geteuid(), os.getegid())
        os.chmod(temporary, 0o644 if name.endswith(".tar") else 0o755)
        if sha256_of(temporary) != wanted["sha256"]:
            os.unlink(temporary)
            text = "%s of %s arrived damaged: its sha256 is wrong" % (name, artifact["component"])
            raise DamagedError(text, name, artifact["component"])
        selinux.label(temporary, selinux.DATA if name.endswith(".tar") else selinux.PROGRAM)
        target = os.path.join(directory, name)
        os.rename(temporary, target)
        present[name] = {"sha256": wanted["sha256"], "stamp": _stamp(target)}
        done.append(name)
    if done:
        _write_record(directory, present)
    return done


def link(artifact, act, root=ROOT):
    """Points the links of an artifact at its version; returns the links that changed."""
    if not artifact["link"]:
        return []
    directory = directory_of(artifact, root)
    return [
        path
        for path, target in sorted(
            (os.path.join(artifact["link"], name), os.path.join(directory, name)) for name in artifact["files"]
        )
        if ensure_link(path, target, act)
    ]


def leave_staging(staging):
    """Removes the staging directory if it is empty; one that another component still needs stays."""
    try:
        os.rmdir(staging)
    except OSError:
        pass
