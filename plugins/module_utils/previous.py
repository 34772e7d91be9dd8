"""What a component was before a change, kept on the host until the change has proved itself."""

from __future__ import annotations

import base64
import json
import os
import time

from . import systemd
from .files import ensure_absent, ensure_link, write_atomically

DIRECTORY = "/var/lib/kubikk/previous"
# What a unit that was put back is noted to have been started with: nothing that a later run could want.
PUT_BACK = "put back"


def _path(name, directory):
    return os.path.join(directory, name + ".json")


def _file(path):
    """A file's content, mode and owner; None where there is none."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError:
        return None
    status = os.stat(path)
    return {
        "content": base64.b64encode(content).decode(),
        "mode": status.st_mode & 0o7777,
        "uid": status.st_uid,
        "gid": status.st_gid,
    }


def _link(path):
    return os.readlink(path) if os.path.islink(path) else None


def remember(want, directory=DIRECTORY):
    """Notes what a component's files and links are, unless a change that did not end has noted it already.

    Args:
        want: the module's arguments, with the units' contents.
        directory: where; closed to others, since keys are among the files.
    """
    path = _path(want["name"], directory)
    if os.path.exists(path):
        return
    paths = [entry["path"] for entry in want["files"] if not entry["create_only"]] + want["absent"]
    paths += [entry["path"] for unit in want["units"] for entry in systemd.unit_files(unit)]
    links = [os.path.join(each["link"], name) for each in want["artifacts"] if each["link"] for name in each["files"]]
    record = {
        "time": time.time(),
        "files": {path: _file(path) for path in paths},
        "links": {path: _link(path) for path in links},
        "units": [
            {"name": unit["name"], "health": unit.get("health")} for unit in want["units"] if unit["state"] == "started"
        ],
    }
    os.makedirs(directory, mode=0o700, exist_ok=True)
    write_atomically(path, json.dumps(record).encode(), os.geteuid(), os.getegid(), 0o600)


def records(directory=DIRECTORY):
    """Components that something is noted of, the first first: [(name, record)]."""
    found = []
    for entry in os.listdir(directory) if os.path.isdir(directory) else []:
        if entry.endswith(".json"):
            with open(os.path.join(directory, entry)) as stream:
                found.append((entry[: -len(".json")], json.load(stream)))
    return sorted(found, key=lambda each: each[1]["time"])


def forget(name, directory=DIRECTORY):
    """Drops what is noted of a component; returns whether there was anything."""
    return ensure_absent(_path(name, directory), True)


def put_back(record):
    """Gives a component its files and links back; returns the paths that differed."""
    changed = []
    for path, was in record["files"].items():
        if _file(path) == was:
            continue
        changed.append(path)
        if was is None:
            ensure_absent(path, True)
        else:
            write_atomically(path, base64.b64decode(was["content"]), was["uid"], was["gid"], was["mode"])
    for path, target in record["links"].items():
        if _link(path) == target:
            continue
        changed.append(path)
        if target is None:
            ensure_absent(path, True)
        else:
            ensure_link(path, target, True)
    return changed


def start_again(record):
    """Restarts a component's units with what was put back, and waits until they are healthy.

    Raises:
        UnitError: one of them is not.
    """
    names = []
    for unit in record["units"]:
        before = systemd.show([unit["name"]])[unit["name"]]
        if before["LoadState"] == "not-found":
            continue  # it is one that the change would have brought
        systemd.restart(unit["name"], before["InvocationID"])
        systemd.wait_healthy(unit)
        systemd.write_stamp(unit["name"], PUT_BACK, systemd.show([unit["name"]])[unit["name"]]["InvocationID"])
        names.append(unit["name"])
    return names


def versions(record):
    """Versions that a component's links led to: {file: version}."""
    found = {}
    for path, target in record["links"].items():
        if target:
            found[os.path.basename(path)] = os.path.basename(os.path.dirname(target))
    return found
