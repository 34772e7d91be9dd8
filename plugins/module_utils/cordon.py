"""Nodes that take no new pods while Kubikk works on them."""

from __future__ import annotations

DRAINED = "kubikk.io/drained"


def is_ours(node):
    """Whether it was Kubikk that cordoned a node, not an operator, who has reasons of their own."""
    return DRAINED in node["metadata"].get("annotations", {})


def cordon(node):
    """The merge patch that keeps new pods off a node; None where nothing has to be done."""
    if node["spec"].get("unschedulable"):
        return None
    return {"metadata": {"annotations": {DRAINED: ""}}, "spec": {"unschedulable": True}}


def uncordon():
    """The merge patch that undoes ``cordon``."""
    return {"metadata": {"annotations": {DRAINED: None}}, "spec": {"unschedulable": None}}
