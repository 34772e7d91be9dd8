"""Every role has a README, and it is what its argument spec says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from kubikk.paths import content_root

_ROLES = sorted(path for path in (content_root() / "roles").iterdir() if path.is_dir())
_SPEC = importlib.util.spec_from_file_location("role_readmes", Path("docs/role_readmes.py"))


@pytest.mark.parametrize("role", _ROLES, ids=lambda role: role.name)
def test_readme_is_current(role: Path) -> None:
    assert _SPEC is not None
    assert _SPEC.loader is not None
    module = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(module)
    assert (role / "README.md").read_text() == module.render(role), "run `make docs`"
