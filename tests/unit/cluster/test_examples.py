"""The examples load, and agree with the schema; what is generated is current."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from kubikk.cluster import load
from kubikk.cluster.publishing import documents
from kubikk.cluster.schema import schema
from kubikk.paths import content_root

from .invalid import KEYS, ONE, Row

EXAMPLES = sorted((content_root() / "inventory" / "examples").glob("*.yml"))


@pytest.fixture(autouse=True)
def key(home: Path) -> None:
    """The key that examples name."""
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_ed25519").touch()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path) -> None:
    assert load(path).hosts
    jsonschema.validate(yaml.safe_load(path.read_text()), schema())


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        *("minimal", "ha", "dedicated-etcd", "external-load-balancer", "keepalived", "sudo-and-jump-host", "aws")
    }


def test_the_smallest_has_five_lines() -> None:
    (minimal,) = [path for path in EXAMPLES if path.stem == "minimal"]
    assert len(minimal.read_text().splitlines()) == 5


def test_schema_accepts_the_smallest_file() -> None:
    jsonschema.validate(yaml.safe_load(ONE), schema())


@pytest.mark.parametrize("row", [row for row in KEYS if row.name.startswith("unknown key")], ids=lambda row: row.name)
def test_schema_refuses_unknown_keys(row: Row) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(row.text), schema())


@pytest.mark.parametrize("relative", sorted(documents()))
def test_generated_files_are_current(relative: str) -> None:
    """Run ``python -m kubikk.cluster.publishing`` after a change of the models."""
    assert (content_root() / relative).read_text() == documents()[relative]
