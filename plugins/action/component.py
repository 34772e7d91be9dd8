"""The control node's half of the module ``component``: renders templates, reads files and ships binaries.

What ``probe`` found out spares a host work: a component that is as a call of the same digest left it is not touched,
and binaries that the host lacks are shipped without asking first.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
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


def _untouched(active):
    """The module's answer for a component that has nothing to do."""
    nothing = {key: [] for key in ("files", "changes", "restarted", "reasons", "diff")}
    return dict(nothing, changed=False, restart_required=False, active=active, executions=0)


def _plain(value):
    """A value without Ansible's own types, whose items are evaluated only as they are asked for."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int)) else str(value)


@functools.cache
def _program():
    """sha256 of the module and of what it is made of."""
    plugins = Path(__file__).parents[1]
    files = [plugins / "modules" / "component.py", *sorted((plugins / "module_utils").glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


class ActionModule(ActionBase):
    """Runs the module; not at all where it has nothing to do, and twice where the host lacks what was not foreseen."""

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
        facts = (task_vars or {}).get("ansible_facts") or {}
        args["digest"] = self._digest(args)
        known = (facts.get("kubikk_converged") or {}).get(args.get("name"))
        if known and known["digest"] == args["digest"]:
            result.update(_untouched(known["active"]))
            return result
        wanted = (args.get("artifacts") or []) + (args.get("images") or [])
        try:
            answer = self._converge(args, wanted, set(facts.get("kubikk_lacking") or []), task_vars)
        except _NoRoomError as error:
            result.update(failed=True, msg="%s: %s" % (args["name"], error), failure=error.failure)
            return result
        answer.pop("invocation", None)
        result.update(answer)
        if result.get("changed") and not self._task.check_mode:
            # What was found before need not hold any longer.
            result["ansible_facts"] = {"kubikk_converged": {}}
        return result

    def _converge(self, args, wanted, foreseen, task_vars):
        """Runs the module, once what the host lacks is there.

        Args:
            args: the module's.
            wanted: artifacts and images.
            foreseen: files that the host is known to lack, as the fact ``kubikk_lacking`` has them.
            task_vars: Ansible's.
        """
        lacking = self._foreseen(args, wanted, foreseen)
        if lacking and not self._task.check_mode:
            args["staging"] = self._ship(lacking, wanted)
        answer = self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars)
        answer["executions"] = 1
        unforeseen = answer.pop("missing_artifacts", None)
        if unforeseen:
            lacking = unforeseen
            args["staging"] = self._ship(lacking, wanted)
            answer = self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars)
            answer["executions"] = 2
        if "staging" in args:
            answer["shipped"] = [entry["name"] for entry in lacking]
        return answer

    @staticmethod
    def _foreseen(args, wanted, known):
        """Wanted files that are known to be lacking; a call that only finishes follows one that sent them."""
        if args.get("finish"):
            return []
        return [
            {"sha256": file["sha256"], "name": name}
            for artifact in wanted
            for name, file in artifact["files"].items()
            if "%s/%s/%s" % (artifact["component"], name, file["sha256"]) in known
        ]

    @staticmethod
    def _digest(args):
        """Changes with everything that a call says of the host, and with the program that does it."""
        said = {key: _plain(value) for key, value in args.items() if key not in ("restart", "finish", "remember")}
        # Where things lie on the control node means nothing: `plan` works on a copy, and another node has other paths.
        for entry in said.get("files") or []:
            entry.pop("src", None)
        for artifact in (said.get("artifacts") or []) + (said.get("images") or []):
            for file in artifact["files"].values():
                file.pop("path", None)
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(_program() + text.encode()).hexdigest()

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
