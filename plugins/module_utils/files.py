"""Files, directories and links on a host, written so that an interruption leaves the old or the new one, never half."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import re
import ssl
import tempfile
import time

from .failures import naming

HIDDEN = "(secret)\n"
SUFFIX = ".kubikk-new"


def owner_ids(owner, group):
    """The numbers of a user and a group; -1 where the name is not known (check mode, before the user exists)."""
    try:
        uid = pwd.getpwnam(owner).pw_uid
    except KeyError:
        uid = -1
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        gid = -1
    return uid, gid


def content_of(entry):
    """The bytes that a file of the call is to hold."""
    return base64.b64decode(entry["content_base64"])


def encoded(text):
    """Text as a file entry carries it."""
    return base64.b64encode(text.encode()).decode()


def sync_directory(path):
    """Makes renames in a directory survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path, data, uid, gid, mode):
    """Writes a file by way of a temporary one beside it, which already has owner and mode when it gets its name."""
    # Always the same name, so that what a killed run leaves behind is overwritten by the next; with a suffix that no
    # daemon takes for one of the files it reads.
    temporary = path + SUFFIX
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            os.fchown(stream.fileno(), uid, gid)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(os.path.dirname(path))


def ensure_directory(entry, act):
    """Creates a directory or sets its owner and mode; returns whether that was needed."""
    path, mode = entry["path"], int(entry["mode"], 8)
    uid, gid = owner_ids(entry["owner"], entry["group"])
    if not os.path.isdir(path):
        if act:
            os.makedirs(path, mode=0o755)
            os.chmod(path, mode)
            os.chown(path, uid, gid)
        return True
    status = os.stat(path)
    right = (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (uid, gid, mode)
    if not right and act:
        os.chown(path, uid, gid)
        os.chmod(path, mode)
    return not right


def is_outdated(entry, now=time.time):
    """Whether a file that is otherwise left as it is holds no valid certificate of the authority of the new one."""
    path = entry["path"]
    if not (entry["create_only"] and entry.get("until_expired") and os.path.lexists(path)):
        return False
    try:
        present, new = _certificate(path), _new_certificate(content_of(entry))
        return ssl.cert_time_to_seconds(present["notAfter"]) <= now() or (
            bool(new) and present["issuer"] != new["issuer"]
        )
    except (OSError, ValueError, KeyError):
        return True


def _certificate(path):
    """What the first certificate in a file says; by the standard library's only reader of one."""
    return ssl._ssl._test_decode_cert(path)


def _new_certificate(content):
    """What a certificate says that is not written yet, {} where there is none; a key beside it is left out."""
    found = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", content, re.DOTALL)
    if not found:
        return {}
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(found.group(0) + b"\n")
        stream.flush()
        return _certificate(stream.name)


def ensure_file(entry, act):
    """Gives a file its content, owner and mode.

    Returns:
        (changed, diff): ``diff`` is None where nothing changed, and names no secret.
    """
    path, mode = entry["path"], int(entry["mode"], 8)
    uid, gid = owner_ids(entry["owner"], entry["group"])
    if entry["create_only"] and os.path.lexists(path) and not is_outdated(entry):
        return False, None
    data = content_of(entry)
    try:
        with open(path, "rb") as stream:
            before = stream.read()
        status = os.stat(path)
    except FileNotFoundError:
        before, status = None, None
    if before == data and (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (uid, gid, mode):
        return False, None
    if act:
        if before == data:
            os.chown(path, uid, gid)
            os.chmod(path, mode)
        else:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            write_atomically(path, data, uid, gid, mode)
    return True, file_diff(entry, before, status, data)


def file_diff(entry, before, status, data):
    """What Ansible's --diff shows of a changed file."""
    if entry["secret"]:
        shown_before = "" if before is None else HIDDEN
        shown_after = HIDDEN if before == data else "(secret, changed)\n"
    else:
        shown_before = "" if before is None else before.decode("utf-8", "replace")
        shown_after = data.decode("utf-8", "replace")
    diff = {
        "before_header": entry["path"],
        "after_header": entry["path"],
        "before": shown_before,
        "after": shown_after,
    }
    if before == data and status is not None:
        diff["before"] = "mode %04o owner %d:%d\n" % (status.st_mode & 0o7777, status.st_uid, status.st_gid)
        diff["after"] = "mode %s owner %s:%s\n" % (entry["mode"], entry["owner"], entry["group"])
    return diff


def ensure_link(path, target, act):
    """Points a symbolic link at a target by a rename; returns whether that was needed."""
    if os.path.islink(path) and os.readlink(path) == target:
        return False
    if act:
        directory = os.path.dirname(path)
        os.makedirs(directory, mode=0o755, exist_ok=True)
        temporary = path + SUFFIX
        ensure_absent(temporary, act)
        os.symlink(target, temporary)
        os.rename(temporary, path)
        sync_directory(directory)
    return True


def ensure_absent(path, act):
    """Removes a file or link; returns whether it was there."""
    if not os.path.lexists(path):
        return False
    if act:
        os.unlink(path)
    return True
