"""Every role has a Molecule scenario of its name, with tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubikk.paths import content_root

_ROLES = sorted(path.name for path in (content_root() / "roles").iterdir())


@pytest.mark.parametrize("role", _ROLES)
def test_the_role_has_a_scenario(role: str) -> None:
    scenario = content_root() / "molecule" / role
    wanted = [Path("molecule.yml"), Path("converge.yml"), Path("tests", f"test_{role}.py")]
    assert [str(path) for path in wanted if not (scenario / path).is_file()] == []
    assert f"kubikk.kubikk.{role}\n" in (scenario / "converge.yml").read_text()
