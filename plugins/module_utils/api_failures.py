"""Why the API did not answer kubectl: the API server's own trouble, or etcd's."""

from __future__ import annotations

import time

from ansible_collections.kubikk.kubikk.plugins.module_utils import failures, systemd
from ansible_collections.kubikk.kubikk.plugins.module_utils.kubectl import KubectlError

_RECENT = 600
"""Seconds: older lines of etcd's journal tell of something else."""


def of(kubectl, error, clock=time.time, journal=systemd.journal):
    """A ``KubectlError`` as data: of kind ``etcd`` where etcd is what keeps the API server from answering.

    An API server without etcd lets a request hang until kubectl gives up, which tells nobody what to mend. Its
    readiness check of etcd, which gives up after 2 s and needs nothing stored in etcd, does.

    Args:
        kubectl: a ``Kubectl`` with the rights to ask for ``/readyz``.
        error: what it raised before.
    """
    try:
        kubectl("get", "--raw", "/readyz/etcd", timeout=15)
    except KubectlError as found:
        if "data from etcd" in str(found):
            lines, _ = journal("etcd", clock() - _RECENT)
            return {"kind": "etcd", "seen": "%s; %s" % (error, found), "journal": lines}
    return failures.of(error)
