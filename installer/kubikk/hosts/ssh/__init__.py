"""SSH connections with paramiko that give the same answer as OpenSSH, which Ansible uses."""

from kubikk.hosts.ssh.connection import Connection, connect
from kubikk.hosts.ssh.jumps import Jumps
from kubikk.hosts.ssh.programs import Answer, Conversation

__all__ = ["Answer", "Connection", "Conversation", "Jumps", "connect"]
