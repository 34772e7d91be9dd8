"""Keys that people look for here and that are, on purpose, elsewhere or not there."""

from __future__ import annotations

from kubikk.cluster.components import Components
from kubikk.cluster.document import Location
from kubikk.cluster.structure import keys, nested

_PASSWORDS = ("become_password", "become_pass", "sudo_password", "password")


def explain(location: Location) -> tuple[str, str] | None:
    """Message and remedy for an unknown key that deserves its own.

    Args:
        location: of the key.
    """
    *around, key = location
    if "ssh" in around and key in _PASSWORDS:
        return (
            f"{key} is refused: a password never stands in a file",
            "Remove it, and run Kubikk with --ask-become-pass for sudo's; for logging in, use a key.",
        )
    if around == ["etcd"]:
        return (
            f"the section etcd has no key {key}",
            "Write its flags to components.etcd.flags, its hosts' roles to hosts.",
        )
    if len(location) == 3 and around[0] == "components" and key in ("flags", "config"):
        return _wrong_kind(str(around[1]), str(key))
    return None


def _wrong_kind(component: str, kind: str) -> tuple[str, str] | None:
    field = keys(Components).get(component)
    model = nested(field) if field else None
    if model is None:
        return None
    right = next(iter(keys(model)))
    means = "its configuration file" if right == "config" else "flags"
    return f"{component} is set by {means}; expected {right}, not {kind}", f"Write components.{component}.{right}."
