"""A run's place in the journal, from its beginning to whatever end it comes to."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kubikk.ansible.journal import has_ended, new_run, write_summary
from kubikk.ansible.redaction import Redactor
from kubikk.errors import KubikkError
from kubikk.holder import command_line
from kubikk.operations.prepare import wanted
from kubikk.operations.workspace import Workspace
from kubikk.pki.encryption import load_keys


@contextmanager
def recorded(workspace: Workspace, verb: str) -> Iterator[Path]:
    """Gives the directory of a new run, and notes there what stops it before Ansible does.

    Args:
        workspace: the cluster and its directory.
        verb: what the run does, for example ``up``.
    """
    redact = redactor(workspace)
    facts = {"cluster": workspace.cluster.name, "command": command_line(), "versions": versions(workspace)}
    run = new_run(workspace.directory, verb, workspace.file, redact, facts)
    begun = time.monotonic()
    try:
        yield run
    except KubikkError as error:
        if not has_ended(run):
            spent = round(time.monotonic() - begun, 1)
            write_summary(run, {"verb": verb, "seconds": spent, "error": error.to_dict()}, redact)
        raise
    except KeyboardInterrupt:
        # Nothing was done yet on any host: there is nothing to tell.
        if not has_ended(run):
            shutil.rmtree(run)
        raise


def redactor(workspace: Workspace, *secrets: str | None) -> Redactor:
    """Takes a cluster's secrets out of text.

    Args:
        workspace: the cluster and its directory.
        secrets: others that are known, such as sudo's password.
    """
    own = [key.secret for key in load_keys(workspace.pki / "encryption.key")]
    return Redactor([*own, *(secret for secret in secrets if secret)])


def versions(workspace: Workspace) -> dict[str, Any]:
    """Versions of everything that takes part in a run."""
    return {
        "kubikk": version("kubikk"),
        "ansible-core": version("ansible-core"),
        "python": platform.python_version(),
        "components": {each.component: each.version for each in wanted(workspace.cluster)},
    }
