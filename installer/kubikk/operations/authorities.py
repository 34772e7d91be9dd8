"""``certs rotate-ca``: new certificate authorities, while the cluster runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from kubikk.ansible.lock import cluster_lock
from kubikk.errors import KubikkError
from kubikk.hosts.lock import hosts_lock
from kubikk.operations.api import administrator
from kubikk.operations.fitness import require_fit
from kubikk.operations.prepare import prepare
from kubikk.operations.record import recorded
from kubikk.operations.run import RunOptions, RunResult, run
from kubikk.operations.workspace import Workspace
from kubikk.pki import rotation
from kubikk.progress import Progress

VERB = "certs-rotate-ca"

_TOLD = {
    "trust": "every component trusts the old authorities and the new ones",
    "sign": "every certificate is issued by the new authorities",
    "forget": "no component trusts the old authorities any more",
}
# kube-controller-manager writes each namespace's trust within seconds; kubelets bring it to pods within a minute, and
# look once a minute.
_PUBLISHED = 120.0
_DELIVERED = 90.0


def rotate(workspace: Workspace, progress: Progress, options: RunOptions, *, pause: bool) -> list[RunResult]:
    """Replaces all three authorities. Interrupted anywhere, the same command goes on.

    Args:
        workspace: the cluster and its directory.
        progress: told what is done.
        options: what the operator says about the run.
        pause: whether to stop when both are trusted, so that pods that read their trust once can be restarted.

    Returns:
        The runs, in order; the last one failed where any did.

    Raises:
        KubikkError: another run is under way, hosts are not fit, or pods' trust is not published.
    """
    done: list[RunResult] = []
    with cluster_lock(workspace.directory) as lock:
        require_fit(workspace, progress, options.become_password)
        with hosts_lock(workspace.cluster, become_password=options.become_password):
            for step in rotation.left(workspace.pki):
                rotation.take(workspace.pki, step, datetime.now(UTC))
                with recorded(workspace, VERB) as record:
                    prepare(workspace, progress)
                    done.append(run(workspace, VERB, "cluster.yml", options, lock, record=record))
                if done[-1].summary.failed:
                    return done
                progress.log(_TOLD[step])
                if step == "trust":
                    _bring_trust_to_pods(workspace, progress)
                    if pause:
                        return done
            rotation.end(workspace.pki)
    return done


def _bring_trust_to_pods(workspace: Workspace, progress: Progress) -> None:
    """Waits until pods can trust the new authority, and starts the addons anew, which read theirs once."""
    progress.start("pods' trust")
    with administrator(workspace) as client:
        _until_published(client, workspace.pki / "ca.crt")
        for name in _addons(workspace):
            path = f"/apis/apps/v1/namespaces/kube-system/deployments/{name}"
            mark = {"kubikk.io/restarted": datetime.now(UTC).isoformat(timespec="seconds")}
            change = {"spec": {"template": {"metadata": {"annotations": mark}}}}
            answer = client.patch(path, json=change, headers={"Content-Type": "application/merge-patch+json"})
            if answer.status_code != 200:
                raise KubikkError(f"{name} cannot be restarted", cause=f"the API answers {answer.status_code}")
    time.sleep(_DELIVERED)
    progress.finish("pods' trust", "the new authority is in every namespace")


def _addons(workspace: Workspace) -> Iterator[str]:
    addons = workspace.cluster.addons
    if addons.coredns:
        yield "coredns"
    if addons.metrics_server:
        yield "metrics-server"


def _until_published(client: httpx.Client, authorities: Path) -> None:
    wanted = authorities.read_text().strip()
    deadline = time.monotonic() + _PUBLISHED
    while True:
        answer = client.get("/api/v1/configmaps", params={"fieldSelector": "metadata.name=kube-root-ca.crt"})
        if answer.status_code != 200:
            raise KubikkError("pods' trust cannot be looked at", cause=f"the API answers {answer.status_code}")
        old = [
            item["metadata"]["namespace"]
            for item in answer.json()["items"]
            if item.get("data", {}).get("ca.crt", "").strip() != wanted
        ]
        if not old:
            return
        if time.monotonic() > deadline:
            raise KubikkError(
                f"pods in {', '.join(sorted(old)[:5])} do not trust the new authority yet",
                cause="kube-controller-manager did not write it into the ConfigMap kube-root-ca.crt there",
                remedy="see `journalctl -u kube-controller-manager`, then run the same command again",
            )
        time.sleep(1)
