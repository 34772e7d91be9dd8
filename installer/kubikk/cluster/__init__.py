"""The cluster file: what it may hold, its defaults, and what is wrong with one."""

from kubikk.cluster.hosts import Host
from kubikk.cluster.loading import load
from kubikk.cluster.models import Cluster
from kubikk.cluster.ssh import Connection, JumpHost

__all__ = ["Cluster", "Connection", "Host", "JumpHost", "load"]
