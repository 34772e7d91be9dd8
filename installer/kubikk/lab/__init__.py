"""Test hosts on this machine: systemd-nspawn machines with their own systemd, sshd and network, reached over SSH."""

from kubikk.lab.lab import Lab, LabHost, list_labs

__all__ = ["Lab", "LabHost", "list_labs"]
