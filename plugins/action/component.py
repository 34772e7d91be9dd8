"""The control node's half of the module ``component``: renders templates, reads files and ships binaries."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

MODULE = "kubikk.kubikk.component"
STAGING = "/var/tmp"


class _NoRoomError(Exception):
    """The host has no room for what is to be sent."""

    def __init__(self, text):
        super().__init__(text)
        self.failure = {"kind": "disk-full", "path": STAGING, "seen": text}


class ActionModule(ActionBase):
    """Runs the module once, and a second time where the host lacked binaries."""

    _supports_check_mode = True
    TRANSFERS_FILES = True

    def run(self, tmp=None, task_vars=None):
        """Returns the module's result; contents of files are in no result and no log."""
        result = super().run(tmp, task_vars)
        del tmp
        args = dict(self._task.args)
        try:
            args["contents"] = self._contents(args, task_vars)
        except (AnsibleError, OSError) as error:
            raise AnsibleActionFail("%s: %s" % (args.get("name"), error)) from error
        answer = self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars)
        lacking = answer.pop("missing_artifacts", None)
        if lacking:
            try:
                args["staging"] = self._ship(lacking, (args.get("artifacts") or []) + (args.get("images") or []))
            except _NoRoomError as error:
                result.update(failed=True, msg="%s: %s" % (args["name"], error), failure=error.failure)
                return result
            answer = self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars)
            answer["shipped"] = [entry["name"] for entry in lacking]
        answer.pop("invocation", None)
        result.update(answer)
        return result

    def _contents(self, args, task_vars):
        """Base64 contents by path for files, and by "unit NAME" and "drop-in NAME" for units."""
        contents = {}
        for entry in args.get("files") or []:
            given = [key for key in ("template", "src", "content") if entry.get(key) is not None]
            if len(given) != 1:
                raise AnsibleActionFail("%s: give one of template, src and content" % entry.get("path"))
            if given[0] == "template":
                data = self._render(entry["template"], task_vars)
            elif given[0] == "src":
                data = Path(self._loader.get_real_file(self._find_needle("files", entry["src"]))).read_bytes()
            else:
                data = str(entry["content"]).encode()
            contents[entry["path"]] = base64.b64encode(data).decode()
        for unit in args.get("units") or []:
            for key, prefix in (("template", "unit "), ("dropin", "drop-in ")):
                if unit.get(key):
                    rendered = self._render(unit[key], task_vars)
                    contents[prefix + unit["name"]] = base64.b64encode(rendered).decode()
        return contents

    def _render(self, template, task_vars):
        source = self._find_needle("templates", template)
        text = trust_as_template(self._loader.get_text_file_contents(source))
        templar = self._templar.copy_with_new_env(searchpath=[os.path.dirname(source)], available_variables=task_vars)
        overrides = {"trim_blocks": True, "lstrip_blocks": True}
        return str(templar.template(text, escape_backslashes=False, overrides=overrides)).encode()

    def _ship(self, lacking, artifacts):
        """Copies files to the host, each named by its sha256; returns the directory."""
        sources = {wanted["sha256"]: wanted["path"] for artifact in artifacts for wanted in artifact["files"].values()}
        user = self._connection.get_option("remote_user") or "root"
        staging = "%s/kubikk-staging-%s" % (STAGING, user)
        # One that somebody else made there first is not used.
        command = (
            f"mkdir -p -m 0700 {staging} && test -O {staging} && test ! -L {staging}"
            f" && df -P -k {STAGING} && du -k -s {staging}"
        )
        made = self._low_level_execute_command(command, sudoable=False)
        if "No space left on device" in made["stderr"]:
            raise _NoRoomError("%s is full" % STAGING)
        if made["rc"] != 0:
            raise AnsibleActionFail("%s cannot be used: %s" % (staging, made["stderr"].strip() or "not ours"))
        self._require_room(made["stdout_lines"], [sources[entry["sha256"]] for entry in lacking])
        for entry in lacking:
            self._connection.put_file(sources[entry["sha256"]], "%s/%s" % (staging, entry["sha256"]))
        return staging

    @staticmethod
    def _require_room(lines, paths):
        """Refuses to send what the host has no room for, rather than fill its disk to the last byte.

        Args:
            lines: of `df -P -k` and `du -k -s`; what is there already, from a run that broke off, is written over.
            paths: the files to be sent.

        Raises:
            _NoRoomError: there is less room than they need.
        """
        free, there = int(lines[-2].split()[3]), int(lines[-1].split()[0])
        needed = sum(os.path.getsize(path) for path in paths) // 1024
        if needed > free + there:
            raise _NoRoomError(
                "%d MiB are to be sent, and %s has room for %d MiB" % (needed // 1024 + 1, STAGING, free // 1024)
            )
