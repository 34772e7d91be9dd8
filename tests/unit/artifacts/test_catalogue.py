"""The catalogue is complete and consistent; a selection from it is what a cluster needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from kubikk.artifacts import ArtifactSettings, Wanted, build, catalogue, resolve, wanted_for
from kubikk.artifacts.catalogue import fill
from kubikk.errors import KubikkError
from kubikk.progress import Silent

CATALOGUE = catalogue.load()
VERSIONS = sorted(CATALOGUE.sets)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_everything(version: str) -> None:
    versions = CATALOGUE.versions(f"v{version}")
    assert set(versions) == set(CATALOGUE.components) | set(CATALOGUE.images)
    assert versions["kubelet"] == version
    for name, image in CATALOGUE.images.items():
        if image.recipe in ("kubernetes", "pause"):
            assert versions[name] in image.recipe_version


def test_every_recipe_exists() -> None:
    used = {entry.recipe for entry in CATALOGUE.components.values()}
    used |= {entry.recipe for entry in CATALOGUE.images.values()}
    assert used == set(CATALOGUE.recipes)


def test_packages_belong_to_their_recipes_modules() -> None:
    for name in [*CATALOGUE.components, *CATALOGUE.images]:
        wanted = Wanted(component=name, version="1", arch="amd64")
        entry: Any = CATALOGUE.components.get(name) or CATALOGUE.images[name]
        recipe = CATALOGUE.recipes[entry.recipe]
        modules = recipe.modules
        for package in build.packages_of(CATALOGUE, wanted).values():
            if package == "":
                assert recipe.compile_c
                continue
            assert any(f"{package}/".startswith(f"{module}/") for module in modules), package


def test_what_only_releases_have_is_not_built() -> None:
    wanted = Wanted(component="cri-o", version="1.36.3", arch="amd64")
    assert set(build.packages_of(CATALOGUE, wanted)) == {"crio", "pinns"}
    assert set(CATALOGUE.components["cri-o"].files) == {"crio", "pinns", "conmon"}


def test_pinned_checksums_are_checksums() -> None:
    for component in CATALOGUE.components.values():
        for archs in component.sha256.values():
            assert set(archs) == {"amd64", "arm64"}
            assert all(re.fullmatch(r"[0-9a-f]{64}", checksum) for checksum in archs.values())


@pytest.mark.parametrize("name", sorted(CATALOGUE.components))
def test_addresses_have_no_open_placeholders(name: str) -> None:
    component = CATALOGUE.components[name]
    # A release file with its checksums, or an image to take it from.
    assert bool(component.url) == bool(component.published) != bool(component.image)
    for pattern in (component.url, component.published, component.member, component.image):
        assert "{" not in fill(pattern, version="1.2.3", arch="arm64", name=name)
    for address in (component.url, component.published):
        assert address.startswith("https://") or not address


@pytest.mark.parametrize(
    ("arguments", "present", "absent"),
    [
        pytest.param({}, {"flannel", "containerd", "runc", "image-coredns"}, {"image-agnhost"}, id="defaults"),
        pytest.param({"network_plugin": "none"}, {"cni-plugins"}, {"flannel"}, id="no network"),
        pytest.param({"addons": {"coredns": False}}, {"image-pause"}, {"image-coredns"}, id="no CoreDNS"),
        pytest.param({}, {"image-metrics-server"}, {"aws-cloud-controller-manager"}, id="no cloud"),
        pytest.param({"cloud": "aws"}, {"aws-cloud-controller-manager"}, set(), id="AWS"),
        pytest.param({"cloud": "external"}, {"kubelet"}, {"aws-cloud-controller-manager"}, id="another cloud"),
        pytest.param({"with_test_images": True}, {"image-agnhost"}, set(), id="tests"),
        pytest.param({"runtimes": ["cri-o"]}, {"cri-o", "runc"}, {"containerd", "cri-dockerd"}, id="CRI-O"),
        pytest.param({"runtimes": ["docker"]}, {"cri-dockerd"}, {"containerd", "cri-o", "runc"}, id="Docker"),
    ],
)
def test_selection(arguments: Mapping[str, Any], present: set[str], absent: set[str]) -> None:
    wanted = wanted_for("v1.36.3", ["arm64", "amd64"], **arguments)
    names = {each.component for each in wanted}
    assert present <= names
    assert not absent & names
    assert len(wanted) == 2 * len(names)
    assert {each.version for each in wanted if each.component == "etcd"} == {"3.6.14"}


@pytest.mark.parametrize(
    ("version", "arguments", "message"),
    [
        ("v1.20.0", {}, "Kubernetes v1.20.0"),
        ("v1.37.2", {"runtimes": ["rkt"]}, "container runtime rkt"),
        ("v1.37.2", {"network_plugin": "weave"}, "network plugin weave"),
        ("v1.37.2", {"addons": {"dashboard": True}}, "addon dashboard"),
        ("v1.37.2", {"cloud": "vapour"}, "cloud provider vapour"),
    ],
)
def test_unknown_selection(version: str, arguments: Mapping[str, Any], message: str) -> None:
    with pytest.raises(KubikkError, match=message) as raised:
        wanted_for(version, ["amd64"], **arguments)
    assert raised.value.remedy


def test_unknown_component() -> None:
    with pytest.raises(KubikkError, match="no component kubectx"):
        resolve([Wanted(component="kubectx", version="1", arch="amd64")], ArtifactSettings(), Silent())
