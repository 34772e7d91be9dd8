"""kubectl on the host that a module runs on."""

from __future__ import annotations

import json
import os
import subprocess
import time

PROGRAM = "/usr/local/bin/kubectl"


class KubectlError(Exception):
    """kubectl said no; the text is its own."""

    kind = "api"


class Kubectl:
    """Calls kubectl with one kubeconfig.

    Args:
        kubeconfig: path on the host.
        runner: stands in for ``subprocess.run`` in tests.
    """

    def __init__(self, kubeconfig, runner=subprocess.run):
        self._kubeconfig = kubeconfig
        self._run = runner

    @property
    def installed(self):
        """Whether the program and its kubeconfig are there: not so on a bare host in check mode."""
        return os.path.exists(PROGRAM) and os.path.exists(self._kubeconfig)

    def __call__(self, *arguments, **options):
        """The output of ``kubectl ARGUMENTS``; ``stdin`` (text) and ``timeout`` (seconds) are options.

        Raises:
            KubectlError: it ended with an error, or not at all.
        """
        command = [PROGRAM, "--kubeconfig", self._kubeconfig, *arguments]
        try:
            done = self._run(
                command,
                input=options.get("stdin"),
                capture_output=True,
                text=True,
                check=False,
                timeout=options.get("timeout", 60),
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(
                "kubectl %s gave no answer in %d s" % (" ".join(arguments[:3]), error.timeout)
            ) from error
        if done.returncode != 0:
            raise KubectlError((done.stderr or done.stdout).strip())
        return done.stdout

    def objects(self, *arguments):
        """The items of ``kubectl get ARGUMENTS -o json``."""
        return json.loads(self("get", *arguments, "-o", "json"))["items"]


def poll(ready, timeout, clock=time.monotonic, sleep=time.sleep):
    """Calls ``ready()`` until it returns no reasons to wait, for ``timeout`` seconds; returns the last reasons."""
    deadline = clock() + timeout
    pause = 0.2
    while True:
        reasons = ready()
        if not reasons or clock() >= deadline:
            return reasons
        sleep(pause)
        pause = min(pause * 1.5, 1.0)
