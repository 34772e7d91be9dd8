"""Edits of a cluster file that a running cluster takes without losing anything."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Content = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        title: for the log of a test.
        apply: changes the content of the cluster file in place.
    """

    title: str
    apply: Callable[[Content], None]


def _setting(component: str, kind: str, name: str, value: Any) -> Edit:
    def apply(content: Content) -> None:
        content.setdefault("components", {}).setdefault(component, {}).setdefault(kind, {})[name] = value

    return Edit(f"{component}: {name}={value}", apply)


def _on_host(key: str, value: Any, number: int) -> Edit:
    def apply(content: Content) -> None:
        content["hosts"][number % len(content["hosts"])][key] = value

    return Edit(f"host {number}: {key}={value}", apply)


def random_edits(chance: random.Random, count: int) -> list[Edit]:
    """Some edits, each of another kind.

    Args:
        chance: where choices and values come from.
        count: how many, at most 9.
    """
    number = chance.randrange(1000)
    kinds = [
        _setting("etcd", "flags", "snapshot-count", 10000 + number),
        _setting("kube-apiserver", "flags", "max-requests-inflight", 400 + number),
        _setting("kube-controller-manager", "flags", "concurrent-gc-syncs", 20 + number % 10),
        _setting("kube-scheduler", "flags", "v", number % 4),
        _setting("kubelet", "config", "maxPods", 100 + number % 100),
        _setting("kube-proxy", "config", "nodePortAddresses", ["primary"]),
        _setting("flannel", "flags", "iptables-resync", 5 + number % 20),
        _on_host("labels", {"test.kubikk.io/number": str(number)}, number),
        _on_host("taints", [f"test.kubikk.io/number={number}:PreferNoSchedule"], number),
    ]
    return chance.sample(kinds, count)
