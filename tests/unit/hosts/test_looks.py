"""What a host is sent for a look at it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from kubikk.hosts.looks import modules
from kubikk.hosts.programs import source
from kubikk.paths import content_root


def _imports(name: str) -> set[str]:
    """The modules beside it that a file of plugins/module_utils imports."""
    tree = ast.parse((content_root() / "plugins" / "module_utils" / f"{name}.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return {each for each in found if each}


def test_everything_that_is_imported_is_sent_and_nothing_else() -> None:
    needed, todo = set(), {"states", "kubectl"}
    while todo:
        needed |= todo
        todo = {each for name in todo for each in _imports(name)} - needed
    assert modules().keys() == needed


def test_modules_are_found_among_those_that_were_sent(tmp_path: Path) -> None:
    """A child that has nothing of ours to import, as hosts have."""
    sent = {
        "modules": {
            "states": "from . import own\nfrom .own import x\ndef host(look, act, patience): return own.seen(look)",
            "own": "x = 1\ndef seen(look): return {'kubikk_state': 'saw ' + look['address']}",
        },
        "host": {"address": "10.0.0.1"},
        "cluster": None,
        "kubeconfig": "",
    }
    runner = tmp_path / "runner.py"
    runner.write_text(
        "import json, sys\nsent = json.load(sys.stdin)\n"
        "exec(compile(sent['program'], 'x', 'exec'), {'__name__': '__main__', 'INPUT': sent['input']})\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", str(runner)],
        input=json.dumps({"program": source("look"), "input": sent}),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == {"host": "saw 10.0.0.1", "cluster": None}, done.stderr
