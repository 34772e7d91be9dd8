"""The control node's half of the module ``etcd_snapshot``: fetches the file, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tempfile

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

MODULE = "kubikk.kubikk.etcd_snapshot"


class ActionModule(ActionBase):
    """Runs the module, then copies what it made."""

    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        """Returns the module's result, with C(snapshot.fetched) where it was copied."""
        result = super().run(tmp, task_vars)
        del tmp
        result.update(self._execute_module(module_name=MODULE, module_args=dict(self._task.args), task_vars=task_vars))
        result.pop("invocation", None)
        target = self._task.args.get("fetch")
        if target and not result.get("failed") and result.get("snapshot"):
            result["snapshot"]["fetched"] = self._fetch(result["snapshot"], target)
        return result

    def _fetch(self, snapshot, directory):
        """Copies the file; a name it has only when it is whole. Returns its path."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # Closed to others from the first byte on: it holds everything that the cluster knows.
        closed = tempfile.mkdtemp(prefix=".fetch-", dir=directory)
        try:
            copy = os.path.join(closed, "snapshot")
            if self._play_context.become:
                self._fetch_as_user(snapshot["file"], copy)
            else:
                self._connection.fetch_file(snapshot["file"], copy)
            if self._sha256(copy) != snapshot["sha256"]:
                raise AnsibleActionFail("%s arrived damaged: its sha256 differs" % snapshot["file"])
            os.chmod(copy, 0o600)
            path = os.path.join(directory, os.path.basename(snapshot["file"]))
            os.replace(copy, path)
            return path
        finally:
            shutil.rmtree(closed)

    def _fetch_as_user(self, source, copy):
        """The user who logs in may not read the file: a copy that only this user can read goes, and is removed."""
        made = self._low_level_execute_command("mktemp -d /var/tmp/kubikk-XXXXXXXXXX", sudoable=False)
        directory = made["stdout"].strip()
        if made["rc"] != 0 or not directory.startswith("/var/tmp/kubikk-"):
            raise AnsibleActionFail("no directory in /var/tmp can be made: %s" % made["stderr"].strip())
        there = directory + "/snapshot"
        owner = self._low_level_execute_command("id -un", sudoable=False)["stdout"].strip()
        try:
            install = "install -m 0600 -o %s %s %s" % tuple(map(shlex.quote, (owner, source, there)))
            done = self._low_level_execute_command(install, sudoable=True)
            if done["rc"] != 0:
                raise AnsibleActionFail("%s cannot be copied: %s" % (source, done["stderr"].strip()))
            self._connection.fetch_file(there, copy)
        finally:
            self._low_level_execute_command("rm -rf %s" % shlex.quote(directory), sudoable=False)

    @staticmethod
    def _sha256(path):
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
