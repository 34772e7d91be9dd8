"""``kubeconfig``: hands the operator what kubectl needs."""

from __future__ import annotations

import yaml

from kubikk import pki
from kubikk.operations.api import answering_context
from kubikk.operations.workspace import Workspace


def kubeconfig(workspace: Workspace) -> str:
    """The kubeconfig, its current context being one whose API server answers.

    Where none answers the first stays current, so that the file can be had for a cluster that is down.

    Args:
        workspace: the cluster and its directory.

    Raises:
        KubikkError: the cluster has no certificates yet.
    """
    content = yaml.safe_load(pki.kubeconfig(workspace.cluster, workspace.pki))
    content["current-context"] = answering_context(workspace) or content["current-context"]
    return yaml.safe_dump(content, sort_keys=True)
