"""Writes another Kubernetes version into a cluster file and leaves the rest of it, comments included, as it is."""

from __future__ import annotations

import yaml

from kubikk.cluster.versions import DEFAULT
from kubikk.errors import KubikkError


def with_version(text: str, version: str) -> str:
    """The text of a cluster file that names another version.

    Args:
        text: of a valid cluster file.
        version: for example ``v1.37.2``.

    Raises:
        KubikkError: the file names no version, and the default is another.
    """
    node = _value(_value(yaml.compose(text, Loader=yaml.SafeLoader), "kubernetes"), "version")
    if node is not None:
        return text[: node.start_mark.index] + version + text[node.end_mark.index :]
    if version == DEFAULT:
        return text
    raise KubikkError(
        "the cluster file names no version", remedy=f"write `kubernetes: {{version: {version}}}` into it, then upgrade"
    )


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)
