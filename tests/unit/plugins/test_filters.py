"""The filters that roles render configuration with."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml
from ansible_collections.kubikk.kubikk.plugins.filter.api_balancer import api_balancer
from ansible_collections.kubikk.kubikk.plugins.filter.flags import flags
from ansible_collections.kubikk.kubikk.plugins.filter.image_archives import image_archives
from ansible_collections.kubikk.kubikk.plugins.filter.kubeconfig import kubeconfig
from ansible_collections.kubikk.kubikk.plugins.filter.of_arch import of_arch
from ansible_collections.kubikk.kubikk.plugins.filter.to_toml import to_toml


@pytest.mark.parametrize(
    ("defaults", "overrides", "expected"),
    [
        ({}, None, []),
        ({"b": 1, "a": "x"}, None, ["--a=x", "--b=1"]),
        ({"on": True, "off": False}, {}, ["--off=false", "--on=true"]),
        ({"servers": ["x", "y"]}, None, ["--servers=x,y"]),
        ({"v": 2}, {"v": 4}, ["--v=4"]),
        ({"v": 2, "w": 1}, {"v": None}, ["--w=1"]),
        ({"v": 2}, {"new": ""}, ["--new=", "--v=2"]),
    ],
)
def test_flags(defaults: dict[str, Any], overrides: dict[str, Any] | None, expected: list[str]) -> None:
    assert flags(defaults, overrides) == expected


def test_kubeconfig_names_files_and_embeds_nothing() -> None:
    config = yaml.safe_load(kubeconfig("me", server="https://api:6443", ca="/ca.crt", cert="/me.crt", key="/me.key"))
    assert config["clusters"][0]["cluster"] == {"server": "https://api:6443", "certificate-authority": "/ca.crt"}
    assert config["users"][0]["user"] == {"client-certificate": "/me.crt", "client-key": "/me.key"}
    assert config["current-context"] == config["contexts"][0]["name"]


def test_toml_round_trip_leaves_out_nulls() -> None:
    value = {"version": 3, "plugins": {"io.x.y": {"on": True, "list": ["a", 1], "gone": None}}}
    assert tomllib.loads(to_toml(value)) == {"version": 3, "plugins": {"io.x.y": {"on": True, "list": ["a", 1]}}}


def test_image_archives() -> None:
    image = {"version": "1", "ref": "r/x:1", "amd64": {"files": {"x.tar": {"sha256": "0"}}}}
    assert image_archives({"image-x": image}, ["image-x"], "amd64") == [
        {"component": "image-x", "version": "1", "ref": "r/x:1", "files": {"x.tar": {"sha256": "0"}}}
    ]


def test_artifacts_of_an_architecture() -> None:
    files = {"x": {"path": "/cache/x", "sha256": "ab"}}
    artifacts = {"both": {"version": "1", "amd64": {"files": files}, "arm64": {"files": {}}}, "one": {"version": "2"}}
    assert of_arch(artifacts, "amd64") == [{"component": "both", "version": "1", "files": files}]
    assert of_arch(artifacts, "riscv64") == []


@pytest.mark.parametrize(
    ("kind", "control_plane", "worker"),
    [("local", "", "haproxy"), ("keepalived", "keepalived", ""), ("external", "", "")],
)
def test_what_balances_the_api(kind: str, control_plane: str, worker: str) -> None:
    assert (api_balancer(kind, True), api_balancer(kind, False)) == (control_plane, worker)


def test_an_unknown_kind_is_not_guessed_at() -> None:
    with pytest.raises(KeyError):
        api_balancer("nginx", True)
