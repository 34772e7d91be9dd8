"""kubectl on the host that a module runs on."""

from __future__ import annotations

import json
import subprocess
import time


class KubectlError(Exception):
    """kubectl said no; the text is its own."""


class Kubectl:
    """Calls kubectl with one kubeconfig.

    Args:
        kubeconfig: path on the host.
        runner: stands in for ``subprocess.run`` in tests.
    """

    def __init__(self, kubeconfig, runner=subprocess.run):
        self._kubeconfig = kubeconfig
        self._run = runner

    def __call__(self, *arguments, **options):
        """The output of ``kubectl ARGUMENTS``; ``stdin`` (text) and ``timeout`` (seconds) are options.

        Raises:
            KubectlError: it ended with an error, or not at all.
        """
        command = ["/usr/local/bin/kubectl", "--kubeconfig", self._kubeconfig, *arguments]
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


def poll(ready, timeout, pause=1.0, clock=time.monotonic, sleep=time.sleep):
    """Calls ``ready()`` until it returns no reasons to wait, for ``timeout`` seconds; returns the last reasons."""
    deadline = clock() + timeout
    while True:
        reasons = ready()
        if not reasons or clock() >= deadline:
            return reasons
        sleep(pause)
