"""Makes the collection importable under its own name, as Ansible does."""

from __future__ import annotations

from ansible.utils.collection_loader import _collection_finder

from kubikk.paths import collections_path

_collection_finder._AnsibleCollectionFinder(paths=[str(collections_path())])._install()
