"""Where Kubikk's own content and its cache are."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def content_root() -> Path:
    """The directory that holds roles/, playbooks/ and plugins/: in a wheel inside the package, else the checkout."""
    bundled = _PACKAGE / "ansible_collections" / "kubikk" / "kubikk"
    return bundled if bundled.is_dir() else _PACKAGE.parents[1]


def collections_path() -> Path:
    """The directory for Ansible's ``collections_path``, under which kubikk.kubikk is found."""
    bundled = _PACKAGE / "ansible_collections"
    return _PACKAGE if bundled.is_dir() else content_root() / ".collections"


def cache_dir() -> Path:
    """The user's cache for artifacts and the lab's base tree; ``$KUBIKK_CACHE`` names another place."""
    return Path(os.environ.get("KUBIKK_CACHE") or platformdirs.user_cache_dir("kubikk"))
