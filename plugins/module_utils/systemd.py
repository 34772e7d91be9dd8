"""systemd units: written, enabled, restarted when what they read has changed, and waited for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time

from . import health
from .artifacts import directory_of
from .files import content_of, ensure_absent, ensure_file

UNIT_DIRECTORY = "/etc/systemd/system"
STAMP_DIRECTORY = "/var/lib/kubikk/units"
SHOWN = 20
_BEFORE = 5.0  # seconds: a restart that has just been made belongs to the waiting that follows it
PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,InvocationID,UnitFileState,NeedDaemonReload,ExecMainStartTimestampMonotonic,"
    "ActiveEnterTimestampMonotonic,ConditionResult,ConditionTimestampMonotonic"
)
KINDS = (".service", ".timer", ".socket")


class UnitError(Exception):
    """A unit does not run as it should.

    Args:
        text: what is wrong.
        failure: the same as data, see ``failures``.
    """

    def __init__(self, text, failure=None):
        super().__init__(text)
        self.failure = failure


def systemctl(*arguments):
    """Output of systemctl; errors are told by what ``show`` says afterwards, and by the text.

    Raises:
        UnitError: systemctl refused.
    """
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise UnitError("systemctl %s: %s" % (" ".join(arguments), done.stderr.strip()))
    return done.stdout


def file_name(name):
    """The name of a unit's file: a service's, where the unit is named without its kind."""
    return name if name.endswith(KINDS) else name + ".service"


def show(names):
    """What systemd knows of units: {name: {property: value}}; one call for all of them."""
    if not names:
        return {}
    text = systemctl("show", "--property=" + PROPERTIES, *[file_name(name) for name in names])
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return dict(zip(names, blocks))


def unit_files(unit):
    """The files that define a unit, as entries for ``ensure_file``."""
    common = {"owner": "root", "group": "root", "mode": "0644", "secret": False, "create_only": False}
    entries = []
    if unit.get("content_base64"):
        path = os.path.join(UNIT_DIRECTORY, file_name(unit["name"]))
        entries.append(dict(common, path=path, content_base64=unit["content_base64"]))
    if unit.get("dropin_base64"):
        path = "%s/%s.d/kubikk.conf" % (UNIT_DIRECTORY, file_name(unit["name"]))
        entries.append(dict(common, path=path, content_base64=unit["dropin_base64"]))
    return entries


def write_unit_files(units, act):
    """Writes units and drop-ins; returns (changed paths, diffs). Reloading is left to ``reload_if_needed``."""
    changed, diffs = [], []
    for unit in units:
        for entry in unit_files(unit):
            different, diff = ensure_file(entry, act)
            if different:
                changed.append(entry["path"])
                diffs.append(diff)
    return changed, diffs


def inputs_of(unit, files, artifacts):
    """What a unit's process was started with: a hash over everything whose change asks for a restart, and the paths."""
    digest = hashlib.sha256()
    paths = []
    for entry in unit_files(unit) + [e for e in files if e["restart_on"] and not e["create_only"]]:
        digest.update(entry["path"].encode() + b"\0" + content_of(entry) + b"\0")
        paths.append(entry["path"])
    for artifact in artifacts:
        for name, wanted in sorted(artifact["files"].items()):
            digest.update(("%s/%s=%s\0" % (artifact["component"], name, wanted["sha256"])).encode())
            paths.append(os.path.join(directory_of(artifact), name))
    for path in unit["inputs"]:
        try:
            with open(path, "rb") as stream:
                digest.update(path.encode() + b"\0" + stream.read() + b"\0")
        except FileNotFoundError:
            digest.update(path.encode() + b" is missing\0")
        paths.append(path)
    return digest.hexdigest(), paths


def _stamp_path(name):
    return os.path.join(STAMP_DIRECTORY, name + ".json")


def read_stamp(name):
    """What was noted at the last successful start; {} where nothing was."""
    try:
        with open(_stamp_path(name)) as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}


def write_stamp(name, inputs, invocation, start=""):
    """Notes what the running process has read: all of it, and in ``start`` what it reads only when it is started."""
    text = json.dumps({"inputs": inputs, "invocation": invocation, "start": start}, sort_keys=True)
    os.makedirs(STAMP_DIRECTORY, mode=0o755, exist_ok=True)
    temporary = _stamp_path(name) + ".new"
    with open(temporary, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(temporary, _stamp_path(name))


def note_stale(names):
    """Notes of units that their processes were started with something else than they are to read."""
    for name, state in show(names).items():
        write_stamp(name, "", state["InvocationID"])


def remove_unit_file(name, act):
    """Removes the file of a unit that is stopped, and what was noted of it; returns the paths removed."""
    path = os.path.join(UNIT_DIRECTORY, file_name(name))
    if not ensure_absent(path, act):
        return []
    if act:
        ensure_absent(_stamp_path(name), act)
        systemctl("daemon-reload")
    return [path]


def started_after(state, paths):
    """Whether a process was started after its files were last changed."""
    # A timer has no process.
    begun = state.get("ExecMainStartTimestampMonotonic") or state.get("ActiveEnterTimestampMonotonic")
    monotonic = int(begun or 0) / 1e6
    started = time.time() - (time.monotonic() - monotonic)
    newest = max((os.stat(path).st_ctime for path in paths if os.path.exists(path)), default=0.0)
    return monotonic > 0 and started > newest


def reason_to_restart(state, stamp, inputs, paths):
    """Why a unit must be (re)started, or None.

    A process that systemd itself started again (a crash, a reboot) is as good as one that we started, if its files
    are older than it.
    """
    if state["ActiveState"] not in ("active", "activating", "reloading"):
        return "it is %s" % state["ActiveState"]
    if stamp.get("invocation") == state["InvocationID"]:
        return None if stamp.get("inputs") == inputs else "what it reads has changed"
    return None if started_after(state, paths) else "it was started before its files were written"


def can_reload(unit, state, stamp, start):
    """Whether the running process takes over by itself what has changed: only files have, and it reads them again.

    Args:
        unit: the wanted one.
        state: what systemd knows of it.
        stamp: what was noted of it.
        start: what it reads only when it is started, as a hash.
    """
    return (
        unit["reload"]
        and state["ActiveState"] == "active"
        and stamp.get("invocation") == state["InvocationID"]
        and stamp.get("start") == start
    )


def damage(unit, once=health.check):
    """What somebody took away that the unit's running process had made; None where it is all there."""
    # A program that is not there yet (check mode) has nothing to say.
    if not unit["intact"] or not shutil.which(unit["intact"][0]):
        return None
    missing = once({"command": unit["intact"]})
    return missing and "what it made is damaged: %s" % missing


def journal(name, begun):
    """What a unit said: the 20 lines that tell most, and all lines since ``begun`` (seconds since 1970)."""
    text = subprocess.run(
        ["journalctl", "--unit", file_name(name), "--lines=300", "--no-pager", "--quiet", "--output=short-unix"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    ).stdout
    return read_journal(text, begun)


def read_journal(text, begun):
    """Reads ``journalctl --output=short-unix``.

    Returns:
        (shown, recent): ``shown`` are 20 lines: of a process that ended since ``begun`` its last ones, because the next
        one may be in the middle of its greetings; else the journal's end. ``recent`` are the first lines of all
        messages that are younger than ``begun``.
    """
    lines, recent, end = [], [], None
    for line in text.splitlines():
        # <seconds> <host> <program>[<pid>]: <message>; what does not begin so goes on from the line before.
        words = line.split(" ", 2)
        program, _, message = words[2].partition(": ") if len(words) == 3 else ("", "", "")
        lines.append(message or line)
        try:
            young = float(words[0]) >= begun
        except ValueError:
            continue
        if young:
            recent.append(lines[-1])
            if program.startswith("systemd[") and "Main process exited" in message:
                end = len(lines)
    return lines[:end][-SHOWN:], recent


def unhealthy(name, seen, begun):
    """The error for a unit: its state, what its health check saw, the end of its journal.

    Args:
        name: of the unit.
        seen: what is wrong.
        begun: when it was first looked at, in seconds since 1970: older journal lines may tell of something else.
    """
    state = show([name])[name]
    lines, recent = journal(name, begun)
    shown = "%s (%s)" % (state["ActiveState"], state["SubState"])
    text = "%s is %s; %s\nlast lines of its journal:\n%s" % (name, shown, seen, "\n".join(lines))
    failure = {"kind": "unit", "unit": name, "state": shown, "seen": seen, "journal": lines, "recent": recent}
    return UnitError(text, failure)


def pass_gate(unit, once=health.check):
    """Waits until enough other members are healthy to do without this one for a moment.

    Raises:
        UnitError: they are not.
    """
    gate = unit.get("gate")
    if not gate:
        return

    def shortage(_):
        seen = [(url, once(dict(gate, url=url))) for url in gate["urls"]]
        healthy = sum(1 for _, trouble in seen if trouble is None)
        troubles = "; ".join(trouble for _, trouble in seen if trouble is not None)
        return None if healthy >= gate["at_least"] else "%d of %d healthy: %s" % (healthy, len(seen), troubles)

    missing = health.wait(gate, gate["timeout"], once=shortage)
    if missing:
        text = "of the other members at least %d must be healthy, and %s" % (gate["at_least"], missing)
        failure = {"kind": "quorum", "unit": unit["name"], "seen": text}
        raise UnitError("%s is not restarted: %s" % (unit["name"], text), failure)


def restart(name, before):
    """Starts or restarts a unit, and returns when the old process is gone.

    Raises:
        UnitError: the old process does not go away, or a condition in the unit keeps the new one from being started.
    """
    begun, asked = time.time(), time.monotonic() * 1e6
    systemctl("--no-block", "restart", file_name(name))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = show([name])[name]
        if state["InvocationID"] and state["InvocationID"] != before and state["ActiveState"] != "deactivating":
            return
        if state["ConditionResult"] == "no" and int(state["ConditionTimestampMonotonic"]) > asked:
            raise unhealthy(name, "it was not started: a condition of its unit is not met", begun)
        time.sleep(0.05)
    raise unhealthy(name, "its old process does not end", begun)


def reload(name):
    """Lets a unit read its files again; its process answers all along.

    Raises:
        UnitError: it refuses what is in them.
    """
    begun = time.time()
    try:
        systemctl("reload", file_name(name))
    except UnitError as error:
        raise unhealthy(name, "it does not take over its files: %s" % error, begun) from error


def wait_healthy(unit):
    """Waits for a unit's health check, or where it has none until systemd calls it active.

    Raises:
        UnitError: it did not become healthy in time; the text holds the journal's end.
    """
    begun = time.time() - _BEFORE
    wanted = unit.get("health") or {}
    timeout = wanted.get("timeout") or 60
    if wanted.get("url") or wanted.get("command"):
        seen = health.wait(wanted, timeout)
    else:
        seen = health.wait({"command": ["systemctl", "is-active", "--quiet", file_name(unit["name"])]}, timeout)
    if seen is not None:
        raise unhealthy(unit["name"], "not healthy after %d s: %s" % (timeout, seen), begun)
