"""What went wrong on a host, as data: whoever reads a result tells causes apart by it, not by a sentence."""

from __future__ import annotations

import contextlib
import errno

FULL = (errno.ENOSPC, errno.EDQUOT)


def of(error):
    """An exception as data: {kind, …}; {} where it is of no known kind.

    Kinds: ``disk-full`` (path), ``damaged`` (file, component), ``unit`` and ``quorum`` (unit, state, seen, journal,
    recent), ``image`` and ``package`` (seen), ``nodes`` (nodes), ``pods`` (deployments, pods), ``api``,
    ``etcd`` and ``snapshot`` (seen).
    """
    if isinstance(error, OSError) and error.errno in FULL:
        return {"kind": "disk-full", "path": error.filename or ""}
    carried = getattr(error, "failure", None)
    if carried:
        return carried
    kind = getattr(error, "kind", None)
    return {"kind": kind, "seen": str(error)} if kind else {}


@contextlib.contextmanager
def naming(path):
    """Makes errors of writing name the file, which the kernel's do not."""
    try:
        yield
    except OSError as error:
        if not error.filename:
            error.filename = path
        raise
