"""kubectl with the operator's kubeconfig."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Kubectl:
    """Runs kubectl.

    Args:
        program: the binary.
        kubeconfig: whose current context is used.
    """

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        self._command = [str(program), "--kubeconfig", str(kubeconfig)]

    def command(self, *arguments: str) -> list[str]:
        """The command line, for callers that start it themselves."""
        return [*self._command, *arguments]

    def run(self, *arguments: str, given: str | None = None, timeout: float = 120) -> str:
        """What kubectl prints.

        Args:
            arguments: of kubectl.
            given: standard input.
            timeout: seconds.

        Raises:
            AssertionError: it fails.
        """
        command = self.command(*arguments)
        result = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout, check=False)
        assert result.returncode == 0, f"kubectl {' '.join(arguments)}: {result.stderr}{result.stdout}"
        return result.stdout

    def apply(self, objects: Sequence[dict[str, Any]]) -> None:
        """Creates or changes objects."""
        self.run("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def execute(self, namespace: str, pod: str, *command: str) -> str:
        """What a command prints in a pod."""
        return self.run("exec", "--namespace", namespace, pod, "--", *command)
