"""Tests on virtual machines with a kernel of their own: QEMU without hardware virtualisation, and Vagrant."""
