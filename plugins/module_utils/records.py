"""What was made of a component on a host, noted there, so that one look tells which are as they were left.

``/var/lib/kubikk/components/<name>.json`` is {digest, want}: ``digest`` is that of the whole call that brought the
component about, ``want`` is the call with a sha256 in the place of each content. As long as all that is found again, a
call of the same digest has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
import os

from . import artifacts, distributions, files, health, images, kernel, packages, selinux, systemd, users

DIRECTORY = "/var/lib/kubikk/components"
_SECTIONS = (
    *("users", "directories", "absent", "kernel_modules", "sysctls", "packages", "selinux_booleans"),
    *("images", "runtime"),
)
_OF_FILE = ("path", "owner", "group", "mode", "create_only")
_OF_UNIT = ("name", "state", "inputs", "health", "intact")


def _path(name):
    return os.path.join(DIRECTORY, name + ".json")


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _known(paths):
    """sha256 of files by path; None for one that is missing."""
    found = {}
    for path in paths:
        try:
            found[path] = artifacts.sha256_of(path)
        except FileNotFoundError:
            found[path] = None
    return found


def describe(want, extra_files):
    """A call without the contents of its files.

    Args:
        want: the module's arguments, owners and modes filled in.
        extra_files: further entries for ``ensure_file``: unit files, and files of kernel settings.
    """
    described = {section: want[section] for section in _SECTIONS}
    described["artifacts"] = [without_paths(artifact) for artifact in want["artifacts"]]
    described["images"] = [without_paths(image) for image in want["images"]]
    described["files"] = [
        dict({key: entry[key] for key in _OF_FILE}, sha256=_sha256(files.content_of(entry)))
        for entry in list(want["files"]) + list(extra_files)
    ]
    described["units"] = [
        dict({key: unit[key] for key in _OF_UNIT}, stamp=systemd.read_stamp(unit["name"]), read=_known(unit["inputs"]))
        for unit in want["units"]
    ]
    return described


def without_paths(artifact):
    """An artifact without where its files lie on the control node."""
    return dict(artifact, files={name: {"sha256": file["sha256"]} for name, file in artifact["files"].items()})


def write(name, digest, described):
    """Notes that a component is as a call wanted it; a note that says so already is left alone."""
    data = json.dumps({"digest": digest, "want": described}, sort_keys=True).encode()
    try:
        with open(_path(name), "rb") as stream:
            if stream.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    files.write_atomically(_path(name), data, os.geteuid(), os.getegid(), 0o600)


def converged():
    """Components that are found as they were left: {name: {digest, active}}, ``active`` being their units."""
    found = {}
    try:
        names = sorted(entry[:-5] for entry in os.listdir(DIRECTORY) if entry.endswith(".json"))
    except FileNotFoundError:
        return found
    records = {}
    for name in names:
        try:
            with open(_path(name)) as stream:
                record = json.load(stream)
                records[name] = (record["digest"], record["want"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    units = sorted({unit["name"] for _, want in records.values() for unit in want["units"]})
    states = systemd.show(units)
    for name, (digest, want) in records.items():
        try:
            if holds(want, states):
                active = [unit["name"] for unit in want["units"] if unit["state"] == "started"]
                found[name] = {"digest": digest, "active": active}
        except Exception:  # noqa: S112 (whatever stands in the way, the component's own call tells of it)
            continue
    return found


def holds(want, states):
    """Whether everything is as a description says.

    Args:
        want: of ``describe``.
        states: of the units, as ``systemd.show`` gives them.
    """
    return (
        all(_file_holds(entry) for entry in want["files"])
        and not any(files.ensure_directory(entry, False) for entry in want["directories"])
        and not any(os.path.lexists(path) for path in want["absent"])
        and not any(users.ensure_user(user, False) for user in want["users"])
        and not artifacts.missing(want["artifacts"] + want["images"])
        and not any(artifacts.link(artifact, False) for artifact in want["artifacts"])
        and not packages.absent(distributions.packages_here(want["packages"]))
        and not selinux.turn_on(want["selinux_booleans"], False)
        and not kernel.load_modules(want["kernel_modules"], False)[0]
        and not kernel.apply_sysctls(want["sysctls"], False)[0]
        and all(_unit_holds(unit, states[unit["name"]]) for unit in want["units"])
        and not images.ensure_images(want["images"], want["runtime"], False)
    )


def _file_holds(entry):
    if entry["create_only"]:
        return os.path.lexists(entry["path"])
    try:
        status = os.stat(entry["path"])
    except FileNotFoundError:
        return False
    uid, gid = files.owner_ids(entry["owner"], entry["group"])
    right = (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (uid, gid, int(entry["mode"], 8))
    return right and artifacts.sha256_of(entry["path"]) == entry["sha256"]


def _unit_holds(unit, state):
    if unit["state"] == "installed":
        return state["LoadState"] == "loaded" and state["NeedDaemonReload"] == "no"
    if unit["state"] != "started":
        return state["LoadState"] == "not-found" or (
            unit["state"] == "stopped"
            and state["ActiveState"] in ("inactive", "failed")
            and state["UnitFileState"] != "enabled"
        )
    return (
        state["ActiveState"] == "active"
        and state["UnitFileState"] == "enabled"
        and state["NeedDaemonReload"] == "no"
        # The very process that was started then, with what was there to be read.
        and bool(unit["stamp"])
        and systemd.read_stamp(unit["name"]) == unit["stamp"]
        and unit["stamp"]["invocation"] == state["InvocationID"]
        and _known(unit["inputs"]) == unit["read"]
        and systemd.damage(unit) is None
        and (not _asks(unit["health"]) or health.check(unit["health"]) is None)
    )


def _asks(wanted):
    return bool(wanted) and bool(wanted.get("url") or wanted.get("command"))
