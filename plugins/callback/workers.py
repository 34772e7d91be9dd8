"""No process that works on a host outlives its run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: workers
type: notification
short_description: End the workers of a run that was killed
description:
  - A worker whose ansible-playbook was killed would finish its step, and then wait for ever to write its result into a
    pipe that nobody reads any more. What it has in hand on a host ends there; M(kubikk.kubikk.component) and the others
    wait for that.
options: {}
"""

import ctypes
import os
import signal

from ansible.plugins.callback import CallbackBase

_PR_SET_PDEATHSIG = 1


def _end_with(parent):
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os.kill(os.getpid(), signal.SIGTERM)


class CallbackModule(CallbackBase):
    """Ties every worker that is forked from now on to its parent."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kubikk.kubikk.workers"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        parent = os.getpid()
        os.register_at_fork(after_in_child=lambda: _end_with(parent))
