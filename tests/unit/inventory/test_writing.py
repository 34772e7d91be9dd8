"""Files on disk: only what differs, whole or not at all, and no host that is gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kubikk.cluster import Cluster
from kubikk.errors import KubikkError
from kubikk.inventory import build, directory_for
from kubikk.inventory.writing import write

Load = Callable[[str], Cluster]


def _written(cluster: Cluster, directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in build(cluster, {}).write(directory)}


def test_second_time_writes_nothing(cluster: Load, tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    assert _written(cluster("single-node"), directory) == {"hosts.yml", "group_vars/all.yml", "host_vars/one.yml"}
    assert (directory / "group_vars/all.yml").stat().st_mode & 0o777 == 0o600
    assert _written(cluster("single-node"), directory) == set()


def test_mode_and_content_are_restored(cluster: Load, tmp_path: Path) -> None:
    _written(cluster("single-node"), tmp_path)
    (tmp_path / "group_vars/all.yml").chmod(0o644)
    (tmp_path / "hosts.yml").write_text("")
    assert _written(cluster("single-node"), tmp_path) == {"group_vars/all.yml", "hosts.yml"}
    assert (tmp_path / "group_vars/all.yml").stat().st_mode & 0o777 == 0o600


def test_hosts_that_are_gone(cluster: Load, tmp_path: Path) -> None:
    _written(cluster("one-and-two"), tmp_path)
    own = tmp_path / "host_vars" / "mine.yml"
    own.write_text("a: b\n")
    assert "host_vars/w1.yml" in _written(cluster("single-node"), tmp_path)
    assert {path.name for path in (tmp_path / "host_vars").iterdir()} == {"one.yml", "mine.yml"}


def test_leftovers_of_an_interrupted_run(cluster: Load, tmp_path: Path) -> None:
    (tmp_path / ".hosts.yml.kubikk-new").write_text("half")
    _written(cluster("single-node"), tmp_path)
    assert not list(tmp_path.rglob(".*"))


def test_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"a.yml": ("old\n", 0o644)}, tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KubikkError, match="no space left on device"):
        write({"a.yml": ("new\n", 0o644)}, tmp_path)
    assert (tmp_path / "a.yml").read_text() == "old\n"


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("/srv/cluster.yml", "prod", "/srv/inventory/prod"),
        ("/srv/inventory/prod/cluster.yml", "prod", "/srv/inventory/prod"),
        ("/srv/inventory/prod/cluster.yml", "test", "/srv/inventory/prod/inventory/test"),
        ("/srv/prod/cluster.yml", "prod", "/srv/prod/inventory/prod"),
    ],
)
def test_directory(file: str, name: str, expected: str) -> None:
    assert directory_for(Path(file), name) == Path(expected)


def test_directory_of_a_relative_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert directory_for(Path("c.yml"), "prod") == tmp_path / "inventory" / "prod"


def test_order_of_hosts_means_nothing(cluster: Load) -> None:
    one = cluster("dedicated-etcd")
    other = one.model_copy(update={"hosts": tuple(reversed(one.hosts))})
    assert build(one, {}).files() == build(other, {}).files()
