"""Labels and taints of nodes, in Kubernetes' syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from kubikk.cluster.section import describe, refuse
from kubikk.cluster.syntax import is_dns_name

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LONGEST = 63
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""Label and taint of control-plane nodes."""

_FROM_ROLES = (CONTROL_PLANE, "node-role.kubernetes.io/master")
_FROM_KUBELET = ("kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os")
_NODE_CONDITIONS = "node.kubernetes.io/"


@dataclass(frozen=True)
class Taint:
    """A taint; ``value`` may be empty."""

    key: str
    value: str
    effect: str


def _is_part(text: str) -> bool:
    return len(text) <= _LONGEST and _NAME.fullmatch(text) is not None


def _check_key(key: str, what: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if not _is_part(name) or (slash and not is_dns_name(prefix)):
        raise refuse(
            f"{describe(key)} is no key of a {what}",
            "Write name or domain/name; the name has at most 63 letters, digits, '-', '_' and '.'.",
        )


def _label_key(key: str) -> str:
    _check_key(key, "label")
    if key in _FROM_ROLES:
        raise refuse(f"the label {key} is set from the host's roles", "Remove it, and list control-plane in roles.")
    if key in _FROM_KUBELET:
        raise refuse(f"the label {key} is set by kubelet", "Remove it.")
    return key


def _label_value(value: str) -> str:
    if value and not _is_part(value):
        raise refuse(
            f"{describe(value)} is no value of a label",
            "Use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends.",
        )
    return value


def parse_taint(text: str) -> Taint:
    """Reads ``key=value:Effect`` or ``key:Effect``, as kubectl does.

    Raises:
        PydanticCustomError: it is something else, or a taint that is not the operator's to set.
    """
    rest, _, effect = text.rpartition(":")
    if effect not in _EFFECTS or not rest:
        raise refuse(
            f"{describe(text)} is no taint; expected key=value:Effect or key:Effect",
            f"The effect is one of {', '.join(_EFFECTS)}.",
        )
    key, _, value = rest.partition("=")
    _check_key(key, "taint")
    if value and not _is_part(value):
        raise refuse(
            f"{describe(value)} is no value of a taint", "Use at most 63 letters, digits, '-', '_' and '.' or nothing."
        )
    if key in _FROM_ROLES:
        remedy = "Remove it; a control-plane host that also has the role worker is not tainted."
        raise refuse(f"the taint {key} is set from the host's roles", remedy)
    if key.startswith(_NODE_CONDITIONS):
        raise refuse(f"the taint {key} is set by Kubernetes from the node's condition", "Remove it.")
    return Taint(key, value, effect)


def _taint(text: str) -> str:
    parse_taint(text)
    return text


LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]
TaintText = Annotated[str, AfterValidator(_taint)]
