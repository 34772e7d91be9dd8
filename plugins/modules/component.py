#!/usr/bin/python
"""Bring one component of a host into its wanted state, in one execution."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component
short_description: Bring one component of a host into its wanted state in one execution
description:
  - Packages, users, directories, binaries, kernel settings, files, systemd units and images of one component.
  - A role that used one module for each would pay for a dozen executions on every host; this is one, and two when
    binaries have to be shipped.
  - Units are restarted only where what they read has changed since their process was started, which is noted on the
    host, so that a run that was interrupted between writing and restarting is caught up by the next.
author:
  - The Kubikk authors
options:
  name:
    description: Name of the component, for messages.
    type: str
    required: true
  owner:
    description: Owner and group of directories and files that name none.
    type: str
    default: root
  users:
    description: System users, each with a group of the same name.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      home:
        description: Home directory; it is not created.
        type: str
        default: /nonexistent
  directories:
    description: Directories.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path on the host.
        type: path
        required: true
      owner:
        description: Owner, by default that of the call.
        type: str
      group:
        description: Group, by default that of the call.
        type: str
      mode:
        description: Permissions.
        type: str
        default: "0755"
  artifacts:
    description: Binaries and image archives, shipped where the host does not have them yet.
    type: list
    elements: dict
    default: []
    suboptions:
      component:
        description: Directory below C(/opt/kubikk).
        type: str
        required: true
      version:
        description: Directory below that.
        type: str
        required: true
      files:
        description: File name to its C(path) on the control node, C(sha256) and C(size).
        type: dict
        required: true
      link:
        description: Directory that gets symbolic links to the files; none where empty.
        type: str
        default: ""
  files:
    description: Files, written atomically.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path on the host.
        type: path
        required: true
      template:
        description: Template of the role.
        type: str
      src:
        description: File on the control node.
        type: str
      content:
        description: The content itself.
        type: str
      owner:
        description: Owner, by default that of the call.
        type: str
      group:
        description: Group, by default that of the call.
        type: str
      mode:
        description: Permissions, by default 0644, and 0600 for a secret.
        type: str
      secret:
        description: Whether the content is kept out of diffs and results.
        type: bool
        default: false
      create_only:
        description: Whether an existing file is left as it is.
        type: bool
        default: false
      until_expired:
        description:
          - With O(files[].create_only), whether an existing file is replaced where it holds no certificate, one that
            has expired, or one of another authority than the new one's. The units are restarted then.
        type: bool
        default: false
      restart_on:
        description: Whether a change asks for a restart of the units.
        type: bool
        default: true
  absent:
    description: Files and links to remove.
    type: list
    elements: path
    default: []
  kernel_modules:
    description: Kernel modules, loaded now and at every boot.
    type: list
    elements: str
    default: []
  sysctls:
    description: Kernel settings, applied now and at every boot.
    type: dict
    default: {}
  packages:
    description:
      - Packages of the distribution; their services are not started by the installation.
      - Names that distributions disagree on are C(plugins/module_utils/distributions.py)'s, for example C(docker).
      - C(a | b) is satisfied by either; where neither is installed, by the first one that the host's repositories have.
    type: list
    elements: str
    default: []
  package_environment:
    description: Variables that the package manager gets, such as HTTPS_PROXY.
    type: dict
    default: {}
  selinux_booleans:
    description: Booleans of SELinux's policy that are turned on, where there is SELinux and the policy has them.
    type: list
    elements: str
    default: []
  units:
    description: systemd units.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name; a service's without C(.service), a timer's with C(.timer).
        type: str
        required: true
      template:
        description: Template of the unit file; none for units of the distribution.
        type: str
      dropin:
        description: Template of a drop-in.
        type: str
      inputs:
        description: Further files whose change asks for a restart.
        type: list
        elements: path
        default: []
      state:
        description:
          - Running and enabled, or stopped and disabled; V(absent) also removes the unit file.
          - V(installed) is for a unit that another one starts, such as a timer's service.
        type: str
        choices: [started, stopped, absent, installed]
        default: started
      health:
        description: How to see that it is healthy; without it, that systemd calls it active.
        type: dict
        suboptions:
          url:
            description: Asked until it answers 200.
            type: str
          ca:
            description: CA that the server's certificate is verified with.
            type: path
          cert:
            description: Client certificate.
            type: path
          key:
            description: Key of the client certificate.
            type: path
          expect:
            description: Text the answer must contain.
            type: str
          command:
            description: Run until it succeeds.
            type: list
            elements: str
          timeout:
            description: Seconds.
            type: int
            default: 60
      reload:
        description:
          - Whether its process reads O(files) again when systemd reloads it. Where nothing but files has changed, it is
            reloaded instead of being restarted, and answers all along.
        type: bool
        default: false
      intact:
        description:
          - A program that succeeds while what the unit's process made outside of files is there (rules, interfaces).
            Where it fails for a running unit, the unit is restarted, which makes it anew.
        type: list
        elements: str
        default: []
      gate:
        description:
          - What must hold before a running unit is restarted, so that no restart costs a quorum. It is waited for.
        type: dict
        suboptions:
          urls:
            description: Health addresses of the other members.
            type: list
            elements: str
            required: true
          at_least:
            description: How many of them must be healthy.
            type: int
            required: true
          ca:
            description: CA that their certificates are verified with.
            type: path
          cert:
            description: Client certificate.
            type: path
          key:
            description: Key of the client certificate.
            type: path
          expect:
            description: Text the answer must contain.
            type: str
          timeout:
            description: Seconds.
            type: int
            default: 60
  images:
    description: Images, shipped as archives and imported into the runtime where it does not have them.
    type: list
    elements: dict
    default: []
    suboptions:
      ref:
        description: Name of the image.
        type: str
        required: true
      component:
        description: Directory below C(/opt/kubikk).
        type: str
        required: true
      version:
        description: Directory below that.
        type: str
        required: true
      files:
        description: The archive's file name to its C(path) on the control node, C(sha256) and C(size).
        type: dict
        required: true
  runtime:
    description: The container runtime that O(images) are imported into.
    type: str
    choices: [containerd, cri-o, docker]
    default: containerd
  restart:
    description:
      - V(now) restarts what needs it and waits for its health.
      - V(later) leaves that to another call with the same arguments and O(finish), and says in RV(restart_required)
        whether it is needed. So members of a cluster can be configured together and restarted one by one.
    type: str
    choices: [now, later]
    default: now
  finish:
    description: Do nothing but the restart that was left for later.
    type: bool
    default: false
  remember:
    description:
      - Whether to note what files and links are before they are changed, so that M(kubikk.kubikk.previous) can put them
        back. What is noted stays until that module drops it.
    type: bool
    default: false
  contents:
    description: Contents of files and units in base64, rendered and set by the action plugin; in no log.
    type: dict
    default: {}
  staging:
    description: Where the action plugin put shipped files; set by it.
    type: path
  digest:
    description:
      - Of the whole call; set by the action plugin. It is noted on the host together with what was found there at the
        end, so that M(kubikk.kubikk.probe) can tell that a later call of the same digest has nothing to do.
    type: str
attributes:
  check_mode:
    support: full
    description: Says what would change.
  diff_mode:
    support: full
    description: Shows files before and after; secrets are not shown.
"""

EXAMPLES = r"""
- name: Run kube-scheduler
  kubikk.kubikk.component:
    name: kube-scheduler
    owner: kube-scheduler
    users:
      - {name: kube-scheduler}
    files:
      - {path: /etc/kubernetes/kube-scheduler/config.yaml, template: config.yaml.j2}
    units:
      - name: kube-scheduler
        template: kube-scheduler.service.j2
        health: {url: "https://127.0.0.1:10259/healthz", ca: /etc/kubernetes/kube-scheduler/ca.crt}
"""

RETURN = r"""
missing_artifacts:
  description: Files the host lacks; where there are any, nothing else was done.
  returned: when files must be shipped
  type: list
  elements: dict
files:
  description: Paths that were written or removed.
  returned: always
  type: list
  elements: str
restarted:
  description: Units that were started or restarted.
  returned: always
  type: list
  elements: str
restart_required:
  description: Whether a unit needs a restart that was left for later.
  returned: always
  type: bool
active:
  description: Units that were active before.
  returned: always
  type: list
  elements: str
failure:
  description:
    - What went wrong as data, with C(kind) and for units the end of the journal.
    - Empty where it is of no known kind.
  returned: on failure
  type: dict
reasons:
  description: Why units were, or are to be, restarted.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kubikk.kubikk.plugins.module_utils import (
    alone,
    artifacts,
    distributions,
    failures,
    files,
    images,
    kernel,
    packages,
    previous,
    records,
    selinux,
    systemd,
    users,
)


def component_spec():
    """The module's arguments, as DOCUMENTATION describes them."""
    text, path = {"type": "str"}, {"type": "path"}
    name = {"type": "str", "required": True}
    target = {"type": "path", "required": True}
    flag_off, flag_on = {"type": "bool", "default": False}, {"type": "bool", "default": True}

    def listing(options):
        return {"type": "list", "elements": "dict", "default": [], "options": options}

    strings = {"type": "list", "elements": "str", "default": []}
    paths = {"type": "list", "elements": "path", "default": []}
    health = {
        "url": text,
        "ca": path,
        "cert": path,
        "key": {"type": "path", "no_log": False},
        "expect": text,
        "command": {"type": "list", "elements": "str"},
        "timeout": {"type": "int", "default": 60},
    }
    gate = {key: health[key] for key in ("ca", "cert", "key", "expect", "timeout")}
    gate.update(urls={"type": "list", "elements": "str", "required": True}, at_least={"type": "int", "required": True})
    return {
        "name": name,
        "owner": {"type": "str", "default": "root"},
        "users": listing({"name": name, "home": {"type": "str", "default": "/nonexistent"}}),
        "directories": listing(
            {"path": target, "owner": text, "group": text, "mode": {"type": "str", "default": "0755"}}
        ),
        "artifacts": listing(
            {
                "component": name,
                "version": name,
                "files": {"type": "dict", "required": True},
                "link": {"type": "str", "default": ""},
            }
        ),
        "files": listing(
            {
                "path": target,
                "template": text,
                "src": text,
                "content": text,
                "owner": text,
                "group": text,
                "mode": text,
                "secret": {"type": "bool", "default": False, "no_log": False},
                "create_only": flag_off,
                "until_expired": flag_off,
                "restart_on": flag_on,
            }
        ),
        "absent": paths,
        "kernel_modules": strings,
        "sysctls": {"type": "dict", "default": {}},
        "packages": strings,
        "package_environment": {"type": "dict", "default": {}},
        "selinux_booleans": strings,
        "units": listing(
            {
                "name": name,
                "template": text,
                "dropin": text,
                "inputs": paths,
                "state": {
                    "type": "str",
                    "choices": ["started", "stopped", "absent", "installed"],
                    "default": "started",
                },
                "health": {"type": "dict", "options": health},
                "reload": flag_off,
                "intact": strings,
                "gate": {"type": "dict", "options": gate},
            }
        ),
        "images": listing(
            {"ref": name, "component": name, "version": name, "files": {"type": "dict", "required": True}}
        ),
        "runtime": {"type": "str", "choices": ["containerd", "cri-o", "docker"], "default": "containerd"},
        "restart": {"type": "str", "choices": ["now", "later"], "default": "now"},
        "finish": flag_off,
        "remember": flag_off,
        "contents": {"type": "dict", "default": {}, "no_log": True},
        "staging": path,
        "digest": text,
    }


class Component:
    """One call of the module: the wanted state, and what was done about it."""

    def __init__(self, want, act):
        self.want = want
        self.act = act
        self.changed_paths = []
        self.changes = []
        self.diffs = []
        self.warnings = []
        self.restarted = []
        self.reasons = []
        self.renewed = None
        for entry in want["directories"] + want["files"]:
            entry["owner"] = entry["owner"] or want["owner"]
            entry["group"] = entry["group"] or want["owner"]
        for unit in want["units"]:
            unit["content_base64"] = want["contents"].get("unit " + unit["name"])
            unit["dropin_base64"] = want["contents"].get("drop-in " + unit["name"])
        for entry in want["files"]:
            entry["content_base64"] = want["contents"][entry["path"]]
            entry["mode"] = entry["mode"] or ("0600" if entry["secret"] else "0644")

    def install(self):
        """Everything up to the units' files."""
        want, act = self.want, self.act
        lacking = packages.absent(distributions.packages_here(want["packages"]))
        if lacking and act:
            packages.install(lacking, want["package_environment"])
        self.changes += ["package " + name for name in lacking]
        self.changes += ["SELinux " + name for name in selinux.turn_on(want["selinux_booleans"], act)]
        self.changes += ["user " + user["name"] for user in want["users"] if users.ensure_user(user, act)]
        self.changed_paths += [entry["path"] for entry in want["directories"] if files.ensure_directory(entry, act)]
        for artifact in want["artifacts"] + want["images"]:
            if act:
                self.changes += ["binary " + name for name in artifacts.install(artifact, want["staging"] or "")]
        for artifact in want["artifacts"]:
            self.changed_paths += artifacts.link(artifact, act)
        if want["staging"]:
            artifacts.leave_staging(want["staging"])
        self._kernel()
        for entry in want["files"]:
            self._file(entry)
        self.changed_paths += [path for path in want["absent"] if files.ensure_absent(path, act)]
        changed, diffs = systemd.write_unit_files(want["units"], act)
        self.changed_paths += changed
        self.diffs += diffs

    def _file(self, entry):
        if files.is_outdated(entry):
            self.renewed = "its certificate is replaced"
            if self.act:
                # Before the file is written: where this is interrupted in between, the next run restarts the units.
                systemd.note_stale([unit["name"] for unit in self.want["units"]])
        changed, diff = files.ensure_file(entry, self.act)
        if changed:
            self.changed_paths.append(entry["path"])
            self.diffs.append(diff)

    def _kernel_files(self):
        """The files that hold kernel settings, as entries for ``ensure_file``."""
        want = self.want
        texts = (
            (kernel.MODULES_FILE, kernel.text_of_modules(want["kernel_modules"])),
            (kernel.SYSCTL_FILE, kernel.text_of_sysctls(want["sysctls"])),
        )
        common = {"owner": "root", "group": "root", "mode": "0644", "secret": False, "create_only": False}
        return [dict(common, path=path, content_base64=files.encoded(text)) for path, text in texts if text]

    def record(self):
        """Notes on the host that it is as it was to be, for ``probe`` to look at."""
        unit_files = [entry for unit in self.want["units"] for entry in systemd.unit_files(unit)]
        described = records.describe(self.want, unit_files + self._kernel_files())
        records.write(self.want["name"], self.want["digest"], described)

    def _kernel(self):
        want = self.want
        for entry in self._kernel_files():
            self._file(entry)
        loaded, warnings = kernel.load_modules(want["kernel_modules"], self.act)
        applied, more = kernel.apply_sysctls(want["sysctls"], self.act)
        self.changes += ["kernel module " + name for name in loaded] + ["sysctl " + text for text in applied]
        self.warnings += warnings + more

    def units(self, later):
        """Starts, restarts or stops units; returns (restart_required, names that were active before)."""
        wanted = self.want["units"]
        new = [unit["name"] for unit in wanted if unit["state"] == "started" and self._is_new(unit)]
        if new and self.act:
            # Before systemd has heard of them: of others it would have to read all its units again.
            systemd.systemctl("enable", "--no-reload", *[systemd.file_name(name) for name in new])
        states = systemd.show([unit["name"] for unit in wanted])
        active = [name for name, state in states.items() if state["ActiveState"] == "active"]
        unknown = [
            state
            for state in states.values()
            if state["NeedDaemonReload"] == "yes" or state["LoadState"] == "not-found"
        ]
        if unknown and self.act:
            systemd.systemctl("daemon-reload")
            states = systemd.show([unit["name"] for unit in wanted])
        required = False
        for unit in wanted:
            name, state = unit["name"], states[unit["name"]]
            if unit["state"] != "started":
                self._stop(unit, state)
                continue
            inputs, paths = systemd.inputs_of(unit, self.want["files"], self.want["artifacts"])
            start, _ = systemd.inputs_of(unit, [], self.want["artifacts"])
            stamp = systemd.read_stamp(name)
            reason = systemd.reason_to_restart(state, stamp, inputs, paths) or self.renewed or systemd.damage(unit)
            if state["UnitFileState"] != "enabled":
                # That a new unit is enabled goes without saying: a package may have done it, or another unit of that
                # name that check mode still finds.
                if not self._is_new(unit):
                    self.changes.append("enabled " + name)
                if self.act:
                    systemd.systemctl("enable", systemd.file_name(name))
            if reason:
                self.reasons.append("%s: %s" % (name, reason))
            if later or not self.act:
                required = required or bool(reason)
                if reason and not self.act:
                    self.restarted.append(name)
                continue
            if reason:
                self._restart(unit, state, systemd.can_reload(unit, state, stamp, start))
            systemd.wait_healthy(unit)
            invocation = systemd.show([name])[name]["InvocationID"]
            if reason or stamp != {"inputs": inputs, "invocation": invocation, "start": start}:
                systemd.write_stamp(name, inputs, invocation, start)
        return required, active

    def _is_new(self, unit):
        """Whether the unit's file or drop-in was just written."""
        return any(entry["path"] in self.changed_paths for entry in systemd.unit_files(unit))

    def _restart(self, unit, state, reload):
        name = unit["name"]
        if reload:
            # It stays the same process: without this, one that is not healthy afterwards would count as one that never
            # read what it was given, and be left so when that is taken back.
            systemd.note_stale([name])
            systemd.reload(name)
        else:
            if state["ActiveState"] == "active":
                systemd.pass_gate(unit)
            systemd.restart(name, state["InvocationID"])
        self.restarted.append(name)

    def _stop(self, unit, state):
        name = unit["name"]
        if state["LoadState"] == "not-found" or unit["state"] == "installed":
            return
        if state["ActiveState"] not in ("inactive", "failed") or state["UnitFileState"] == "enabled":
            self.changes.append("stopped " + name)
            if self.act:
                systemd.systemctl("disable", "--now", systemd.file_name(name))
        if unit["state"] == "absent":
            self.changed_paths += systemd.remove_unit_file(name, self.act)


def main():
    """Runs the module."""
    module = AnsibleModule(argument_spec=component_spec(), supports_check_mode=True)
    want = module.params
    lacking = [] if want["staging"] else artifacts.missing(want["artifacts"] + want["images"])
    if lacking and not module.check_mode:
        module.exit_json(changed=False, missing_artifacts=lacking)
    if want["finish"] and module.check_mode:
        # What is to be restarted was said by the call that came before.
        module.exit_json(changed=False)
    component = Component(want, not module.check_mode)
    required, active = False, []
    try:
        with alone.alone(component.act):
            if not want["finish"]:
                if want["remember"] and component.act:
                    previous.remember(want)
                component.install()
                component.changes += ["binary " + entry["name"] for entry in lacking]
            required, active = component.units(later=want["restart"] == "later" and not want["finish"])
            if not want["finish"]:
                imported = images.ensure_images(want["images"], want["runtime"], component.act)
                component.changes += ["image " + ref for ref in imported]
            if component.act and not want["remember"] and not required:
                # As it is now it is well: what a change noted that was broken off is of no use any more.
                previous.forget(want["name"])
            if component.act and want["digest"] and not required:
                component.record()
    except (alone.BusyError, systemd.UnitError, packages.PackageError, images.ImageError, OSError, ValueError) as error:
        module.fail_json(
            msg="%s: %s" % (want["name"], error),
            failure=failures.of(error),
            files=component.changed_paths,
            restarted=component.restarted,
        )
    for warning in component.warnings:
        module.warn(warning)
    module.exit_json(
        changed=bool(component.changed_paths or component.changes or component.restarted),
        files=component.changed_paths,
        changes=component.changes,
        restarted=component.restarted,
        restart_required=required,
        active=active,
        reasons=component.reasons,
        diff=component.diffs,
    )


if __name__ == "__main__":
    main()
