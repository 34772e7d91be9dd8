"""Runs on a host: its state, and the cluster's in the API, found by the very code that the collection's modules run.

``INPUT`` is {modules: {name: source of a file of plugins/module_utils}, host: what ``states.host`` is to look at, or
null, cluster: the same of ``states.cluster``, kubeconfig: path}. Answers {host, cluster}: a sha256 each; "" for a
cluster that is not as it should be, null for what was not asked for.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

INPUT: dict[str, Any] = globals().get("INPUT", {})
PACKAGE = "module_utils"


class Sent(MetaPathFinder, InspectLoader):
    """Finds modules among those that were sent; nothing is written on the host."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The specification of a module, or None for one of Python's own."""
        package, _, name = fullname.rpartition(".")
        ours = fullname == PACKAGE or (package == PACKAGE and name in INPUT["modules"])
        return spec_from_loader(fullname, self) if ours else None

    def is_package(self, fullname: str) -> bool:
        """Whether it is the package itself."""
        return fullname == PACKAGE

    def get_source(self, fullname: str) -> str:
        """A module's source; the package itself has none."""
        return "" if fullname == PACKAGE else str(INPUT["modules"][fullname.rpartition(".")[2]])


def host(states: ModuleType) -> str | None:
    """The host's state. Whoever still works on it changes it: he is waited for by the run that follows, not here."""
    if INPUT["host"] is None:
        return None
    return str(states.host(INPUT["host"], act=True, patience=0)["kubikk_state"])


def cluster(states: ModuleType) -> str | None:
    """The cluster's state; "" also where the API does not answer."""
    if INPUT["cluster"] is None:
        return None
    kubectl = importlib.import_module(PACKAGE + ".kubectl")
    try:
        return str(states.cluster(kubectl.Kubectl(INPUT["kubeconfig"]), INPUT["cluster"]))
    except (kubectl.KubectlError, OSError):
        return ""


def main() -> None:
    """Looks at both."""
    sys.meta_path.insert(0, Sent())
    states = importlib.import_module(PACKAGE + ".states")
    print(json.dumps({"host": host(states), "cluster": cluster(states)}), flush=True)


if __name__ == "__main__":
    main()
