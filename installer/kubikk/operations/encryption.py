"""``encryption rotate``: another key for Secrets in etcd, while the cluster runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kubikk.ansible.lock import cluster_lock
from kubikk.errors import KubikkError
from kubikk.hosts.lock import hosts_lock
from kubikk.hosts.secrets import rewrite
from kubikk.operations.api import administrator
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.pki.encryption import EncryptionKey, load_keys, newest_first, with_new_reader, write_keys
from kubikk.progress import Progress

VERB = "encryption-rotate"


@dataclass
class Rotation:
    """What a rotation came to.

    Attributes:
        key: name of the key that Secrets are encrypted with now.
        secrets: how many were written again.
        runs: of the playbook, in order; the last one failed where any did.
    """

    key: str = ""
    secrets: int = 0
    runs: list[RunResult] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether it stopped on the way."""
        return any(each.summary.failed for each in self.runs)


def rotate(workspace: Workspace, progress: Progress, options: RunOptions) -> Rotation:
    """Gives Secrets in etcd a new key. API servers restart one by one, three times.

    Interrupted anywhere, the same command goes on: the order of the keys in ``encryption.key`` tells how far it came,
    and after each step all API servers read what any of them writes.

    Args:
        workspace: the cluster and its directory.
        progress: told what is done.
        options: what the operator says about the run.

    Raises:
        KubikkError: another run is under way, hosts are not fit, or a Secret cannot be written.
    """
    file = workspace.pki / "encryption.key"
    found = Rotation()
    with cluster_lock(workspace.directory) as lock:
        require_fit(workspace, progress, options.become_password)
        with hosts_lock(workspace.cluster, become_password=options.become_password):

            def tell_servers(keys: list[EncryptionKey], what: str) -> bool:
                write_keys(file, keys)
                progress.log(what)
                with recorded(workspace, VERB) as record:
                    prepare(workspace, progress)
                    found.runs.append(run(workspace, VERB, "encryption.yml", options, lock, record=record))
                return not found.failed

            keys = load_keys(file)
            if not keys:
                raise KubikkError("there is no key yet", remedy="`kubikk up` installs a cluster")
            if len(keys) == 1:
                keys = with_new_reader(keys)
            old, new = (newest_first(keys)[-1], newest_first(keys)[0])
            found.key = new.name
            if keys[0] != new and not tell_servers([old, new], f"{new.name}: every API server can read it"):
                return found
            if not tell_servers([new, old], f"{new.name}: every API server writes with it"):
                return found
            found.secrets = _rewrite(workspace, progress)
            tell_servers([new], f"{old.name} is taken away")
    return found


def _rewrite(workspace: Workspace, progress: Progress) -> int:
    progress.start("Secrets")
    tell: Callable[[int], None] = lambda done: progress.advance("Secrets", done)  # noqa: E731
    with administrator(workspace) as client:
        done = rewrite(client, tell)
    progress.finish("Secrets", f"{done} written again")
    return done
