"""A snapshot of etcd, verified by a member that is started on it. Runs by itself, too: the timer's program on a host.

Python 3.9 and its standard library; nothing of Ansible is imported, so that this one file is all that a host needs.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import glob
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

PKI = "/etc/etcd/pki"
LOCAL = "https://127.0.0.1:2379"
PREFIX, SUFFIX = "etcd-", ".db"
_MIB = 1 << 20


class EtcdError(Exception):
    """etcd, or one of its programs, said no; the text is its own."""

    kind = "etcd"


class SnapshotError(EtcdError):
    """A snapshot cannot be taken, or is not good."""

    kind = "snapshot"


def run(*command, **options):
    """What a program prints; ``timeout`` (seconds) is an option, others are those of ``subprocess.run``.

    Raises:
        EtcdError: it failed or did not end.
    """
    options.setdefault("timeout", 60)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as error:
        raise EtcdError("%s gave no answer in %d s" % (" ".join(command[:3]), error.timeout)) from error
    except FileNotFoundError as error:
        raise EtcdError("%s is not installed" % error.filename) from error
    if done.returncode != 0:
        raise EtcdError("%s: %s" % (" ".join(command[:3]), last_words(done.stderr or done.stdout)))
    return done.stdout


def last_words(text):
    """What a program of etcd says is wrong: its last line that is no log entry, else the last one."""
    lines = [line for line in text.strip().splitlines() if line]
    plain = [line for line in lines if not line.startswith("{")]
    return (plain or lines or ["no output"])[-1].removeprefix("Error: ")


class Etcdctl:
    """etcdctl with one set of endpoints.

    Args:
        endpoints: URLs of members' client ports.
        pki: directory of the certificates, or None for an endpoint without TLS.
    """

    def __init__(self, endpoints, pki=PKI):
        self._command = ["etcdctl", "--endpoints=" + ",".join(endpoints)]
        if pki:
            self._command += ["--cacert=%s/ca.crt" % pki]
            self._command += ["--cert=%s/healthcheck.crt" % pki, "--key=%s/healthcheck.key" % pki]

    def __call__(self, *arguments, **options):
        """The output of ``etcdctl ARGUMENTS``; options as those of ``run``."""
        timeout = options.get("timeout", 20)
        return run(*self._command, "--command-timeout=%ds" % timeout, *arguments, timeout=timeout + 10)

    def json(self, *arguments, **options):
        """The same, as data."""
        return json.loads(self(*arguments, "--write-out=json", **options))

    def count(self, revision):
        """The number of keys at a revision."""
        text = self("get", "", "--prefix", "--count-only", "--rev=%d" % revision, "--write-out=fields")
        return int(next(line.split(":")[1] for line in text.splitlines() if line.startswith('"Count"')))

    def hash(self, revision):
        """Hash over all keys at a revision, and the revision below which etcd has compacted: (hash, compacted)."""
        found = self.json("endpoint", "hashkv", "--rev=%d" % revision)[0]["HashKV"]
        return found["hash"], found["compact_revision"]


def require_room(directory, size):
    """Refuses what would fill the disk: a snapshot, and the scratch member's data of the same size.

    Raises:
        OSError: there is no room for it.
    """
    free = shutil.disk_usage(directory).free
    if free < 2 * size + 64 * _MIB:
        needed = (2 * size) // _MIB + 64
        text = "a snapshot and its verification need %d MiB, and there are %d MiB" % (needed, free // _MIB)
        raise OSError(errno.ENOSPC, text, directory)


def describe(file):
    """Revision and size of a snapshot; reads it only."""
    found = json.loads(run("etcdutl", "snapshot", "status", file, "--write-out=json", timeout=600))
    return {"revision": found["revision"], "bytes": os.path.getsize(file)}


class Scratch:
    """A member of a cluster of its own, started on a snapshot, reached by a socket in its directory; for ``with``.

    Args:
        file: the snapshot.
        directory: where it may make a directory for itself.
    """

    def __init__(self, file, directory):
        self._file = file
        self._directory = tempfile.mkdtemp(prefix=".scratch-", dir=directory)
        self._process = None
        self.etcdctl = Etcdctl(["unix://%s/client" % self._directory], pki=None)

    def __enter__(self):
        peer = "unix://scratch.peer:0"
        cluster = ["--initial-cluster=scratch=" + peer, "--initial-advertise-peer-urls=" + peer]
        client = "unix://%s/client" % self._directory
        try:
            data = ["--name=scratch", "--data-dir=data"]
            command = ["etcdutl", "snapshot", "restore", os.path.abspath(self._file), *data, *cluster]
            run(*command, cwd=self._directory, timeout=1800)
            # Nobody asks for the advertised one; etcd 3.6 takes no path there.
            advertised = "unix://scratch.client:0"
            urls = [
                "--listen-client-urls=" + client,
                "--advertise-client-urls=" + advertised,
                "--listen-peer-urls=" + peer,
            ]
            quota = "--quota-backend-bytes=8589934592"
            with open(os.path.join(self._directory, "log"), "w") as log:
                self._process = subprocess.Popen(
                    ["etcd", *data, *cluster, *urls, quota, "--unsafe-no-fsync=true"],
                    cwd=self._directory,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self):
        deadline = time.monotonic() + 120
        while True:
            if self._process.poll() is not None:
                with open(os.path.join(self._directory, "log")) as log:
                    raise EtcdError("a member on the snapshot ends at once: %s" % log.read()[-500:])
            if os.path.exists(os.path.join(self._directory, "client")):
                try:
                    self.etcdctl("endpoint", "health", timeout=5)
                    return
                except EtcdError:
                    if time.monotonic() > deadline:
                        raise
            elif time.monotonic() > deadline:
                raise EtcdError("a member on the snapshot does not start within 120 s")
            time.sleep(0.1)

    def __exit__(self, *_):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def verify(file, live, directory):
    """Starts a member on a snapshot, and compares all that it holds with the running member.

    Args:
        file: the snapshot.
        live: etcdctl for the running member.
        directory: for the scratch member.

    Returns:
        {revision, bytes, keys, hash}; None where etcd was compacted meanwhile, which makes hashes differ.

    Raises:
        EtcdError: they differ, or no member starts on it.
    """
    found = describe(file)
    with Scratch(file, directory) as scratch:
        there = (*scratch.etcdctl.hash(found["revision"]), scratch.etcdctl.count(found["revision"]))
        here = (*live.hash(found["revision"]), live.count(found["revision"]))
    if there[1] != here[1]:
        return None
    if there != here:
        text = "hash %d and %d keys in the snapshot, hash %d and %d keys in etcd at revision %d"
        raise EtcdError(
            "the snapshot differs from etcd: " + text % (there[0], there[2], here[0], here[2], found["revision"])
        )
    return dict(found, hash=here[0], keys=here[2])


def prune(directory, keep):
    """Deletes all but the newest snapshots; returns the paths deleted."""
    present = sorted(glob.glob(os.path.join(directory, PREFIX + "*" + SUFFIX)))
    old = present[: max(0, len(present) - keep)]
    for path in old:
        os.unlink(path)
    return old


def copy_data(data_dir, target):
    """Makes a snapshot of a member that cannot be asked: its database, with the checksum that a snapshot ends with.

    A member that was started again without a majority of the others answers no client. It is stopped, so that its
    database is whole.
    """
    run("systemctl", "stop", "etcd.service", timeout=120)
    digest = hashlib.sha256()
    with open(os.path.join(data_dir, "member", "snap", "db"), "rb") as source, open(target, "wb") as stream:
        for block in iter(lambda: source.read(_MIB), b""):
            digest.update(block)
            stream.write(block)
        stream.write(digest.digest())


def save_alone(new, directory, data_dir):
    """Takes a snapshot where the other members are lost: there is no etcd to compare it with.

    Returns:
        {revision, bytes, keys, hash}, all as a member that is started on it tells.
    """
    require_room(directory, os.path.getsize(os.path.join(data_dir, "member", "snap", "db")))
    try:
        Etcdctl([LOCAL])("snapshot", "save", new, timeout=15)
    except EtcdError:
        copy_data(data_dir, new)
    found = describe(new)
    with Scratch(new, directory) as scratch:
        revision = found["revision"]
        return dict(found, hash=scratch.etcdctl.hash(revision)[0], keys=scratch.etcdctl.count(revision))


def save_compared(new, directory):
    """Takes a snapshot and compares it with the running member, as ``verify`` does.

    Raises:
        EtcdError: they differ.
    """
    live = Etcdctl([LOCAL])
    status = live.json("endpoint", "status")[0]["Status"]
    require_room(directory, status["dbSize"])
    for _ in range(3):
        live("snapshot", "save", new, timeout=1800)
        found = verify(new, live, directory)
        if found:
            return found
    raise EtcdError("etcd is compacted more often than a snapshot can be verified")


def take(directory, keep, member, *, owner="etcd", alone=False, data_dir="/var/lib/etcd", patience=600):
    """Takes a snapshot of the member on this host, verifies it, and deletes old ones.

    Args:
        directory: where snapshots lie; made if missing.
        keep: how many stay, the new one included.
        member: the member's name, for the file's.
        owner: user who gets the file.
        alone: whether the other members are lost for good, so that this one has no leader.
        data_dir: where the member keeps its data.
        patience: seconds to wait for another snapshot that is being taken.

    Returns:
        What ``verify`` returns, and file, time, seconds, removed.

    Raises:
        EtcdError: etcd does not answer, or the snapshot is not good.
        OSError: there is no room.
    """
    begun = time.monotonic()
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        account = pwd.getpwnam(owner)
        os.chown(directory, account.pw_uid, account.pw_gid)
    # The directory itself is locked: a file would belong to whoever came first, root or etcd's user.
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _wait_for(lock, patience)
        # Of one that was killed.
        for left in glob.glob(os.path.join(directory, ".scratch-*")) + glob.glob(os.path.join(directory, ".new*")):
            shutil.rmtree(left) if os.path.isdir(left) else os.unlink(left)
        taken, new = time.time(), os.path.join(directory, ".new" + SUFFIX)
        found = save_alone(new, directory, data_dir) if alone else save_compared(new, directory)
        os.chmod(new, 0o600)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(taken))
        path = os.path.join(directory, "%s%s-%s%s" % (PREFIX, stamp, member, SUFFIX))
        if os.geteuid() == 0:
            os.chown(new, account.pw_uid, account.pw_gid)
        with open(new, "rb") as stream:
            os.fsync(stream.fileno())
        os.rename(new, path)
        removed = prune(directory, keep)
    finally:
        os.close(lock)
    seconds = round(time.monotonic() - begun, 1)
    return dict(found, file=path, member=member, time=stamp, seconds=seconds, removed=removed)


def _wait_for(lock, patience):
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EtcdError("another snapshot has been under way for %d s" % patience) from None
            time.sleep(0.2)


def main():
    """The timer's program."""
    parser = argparse.ArgumentParser(description="Take a snapshot of the etcd member on this host and verify it.")
    parser.add_argument("--directory", required=True)
    parser.add_argument("--keep", type=int, required=True)
    parser.add_argument("--member", required=True)
    wanted = parser.parse_args()
    try:
        print(json.dumps(take(wanted.directory, wanted.keep, wanted.member), sort_keys=True))
    except (EtcdError, OSError) as error:
        print("no snapshot: %s" % error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
