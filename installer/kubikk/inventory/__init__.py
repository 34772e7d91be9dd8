"""The Ansible inventory that a cluster file stands for."""

from kubikk.inventory.directory import directory_for
from kubikk.inventory.generation import Inventory, build

__all__ = ["Inventory", "build", "directory_for"]
