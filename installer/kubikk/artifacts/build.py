"""The source ``build``: compiles components from their Go modules and assembles images from them."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from kubikk.artifacts import busybox, compiler, gobuild, gomodule, images
from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Catalogue, Recipe, fill
from kubikk.artifacts.commands import Commands
from kubikk.artifacts.gomodule import Module
from kubikk.artifacts.gotool import GoTool
from kubikk.artifacts.models import Arch, ArtifactFile, Wanted
from kubikk.artifacts.toolchain import find_go
from kubikk.errors import KubikkError
from kubikk.progress import Progress

# One build alone leaves a core idle now and then (large generated packages, linking); a second one fills the gaps.
# Their modules are downloaded ahead of them, two at a time.
_BUILDS_AT_A_TIME = 2
_DOWNLOADS_AT_A_TIME = 2


@dataclass(frozen=True)
class Task:
    """Components that one build produces together, because they share most of their packages.

    Attributes:
        recipe: name in the catalogue.
        version: of the recipe's modules, without a leading v.
        arch: the target.
        wanted: what is to come out.
    """

    recipe: str
    version: str
    arch: Arch
    wanted: tuple[Wanted, ...]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.recipe} {self.version} ({self.arch})"

    @property
    def lock(self) -> str:
        """Name of the lock under which it is built."""
        return f"build-{self.recipe}-{self.version}-{self.arch}"


def plan(catalogue: Catalogue, wanted: Sequence[Wanted]) -> list[Task]:
    """The builds that produce what is wanted, the longest first."""
    groups: dict[tuple[str, str, Arch], list[Wanted]] = {}
    for each in wanted:
        if each.component in catalogue.images:
            image = catalogue.images[each.component]
            recipe, version = image.recipe, image.recipe_version.get(each.version, each.version)
        else:
            recipe, version = catalogue.components[each.component].recipe, each.version
        groups.setdefault((recipe, version, each.arch), []).append(each)
    tasks = [Task(recipe, version, arch, tuple(group)) for (recipe, version, arch), group in groups.items()]
    return sorted(tasks, key=lambda task: (-catalogue.recipes[task.recipe].seconds, task.title))


def packages_of(catalogue: Catalogue, wanted: Wanted) -> dict[str, str]:
    """File name -> Go package of what is compiled for a component, as `Component.files` has it."""
    if wanted.component in catalogue.components:
        files = catalogue.components[wanted.component].files
        return {name: package for name, package in files.items() if package is not None}
    package = catalogue.images[wanted.component].package
    return {gobuild.output_name(package): package} if package else {}


def fingerprint(catalogue: Catalogue, wanted: Wanted) -> str:
    """Changes whenever the recipe would produce something else."""
    description = packages_of(catalogue, wanted)
    is_image = wanted.component in catalogue.images
    entry = catalogue.images[wanted.component] if is_image else catalogue.components[wanted.component]
    recipe = catalogue.recipes[entry.recipe].model_dump(mode="json", exclude={"seconds"})
    content = [description, recipe, images.FORMAT if is_image else 0]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Builder:
    """Builds components.

    Args:
        catalogue: has the recipes.
        cache: where the results go, and Go's own caches.
        progress: is told seconds of estimated work done, per build.
    """

    def __init__(self, catalogue: Catalogue, cache: Cache, progress: Progress) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._progress = progress
        self._commands = Commands()
        self._downloading = threading.Semaphore(_DOWNLOADS_AT_A_TIME)
        self._building = threading.Semaphore(_BUILDS_AT_A_TIME)
        self._notes: dict[str, str] = {}

    def obtain(self, wanted: Sequence[Wanted]) -> dict[Wanted, dict[str, ArtifactFile]]:
        """Builds what is wanted and records it in the cache.

        Raises:
            KubikkError: the first failure; all other builds are given up.
        """
        tasks = plan(self._catalogue, wanted)
        go = find_go(self._catalogue.toolchain, self._cache, self._commands, self._progress)
        for task in tasks:
            self._progress.start(self._bar(task), self._catalogue.recipes[task.recipe].seconds, "s")
        result: dict[Wanted, dict[str, ArtifactFile]] = {}
        with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
            futures = [pool.submit(self._run, task, go) for task in tasks]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    result |= future.result()
            except BaseException:
                self._commands.cancel()
                self._cache.give_up()
                raise
        return result

    @staticmethod
    def _bar(task: Task) -> str:
        return f"build {task.title}"

    def _run(self, task: Task, go: Path) -> dict[Wanted, dict[str, ArtifactFile]]:
        with self._cache.lock(task.lock, self._progress):
            result = {}
            for each in task.wanted:  # another run may have built them while this one waited
                files = self._cache.lookup(each, "build", fingerprint(self._catalogue, each))
                if files is not None:
                    result[each] = files
            missing = tuple(each for each in task.wanted if each not in result)
            if missing:
                with self._cache.workspace(task.lock) as work:
                    result |= self._build(
                        task, missing, GoTool(go, self._cache.directory / "go", self._commands, task.arch), work
                    )
        self._progress.finish(self._bar(task), self._notes.get(task.title, "from cache"))
        return result

    def _build(
        self, task: Task, wanted: Sequence[Wanted], go: GoTool, work: Path
    ) -> dict[Wanted, dict[str, ArtifactFile]]:
        recipe = self._catalogue.recipes[task.recipe]
        with self._downloading:
            modules = [gomodule.download(go, path, f"v{task.version}") for path in recipe.modules]
        programs = {}
        if recipe.compile_c:
            programs[""] = self._compile_c(task, modules[0], wanted[0].version, work)
        packages = {package for each in wanted for package in packages_of(self._catalogue, each).values()}
        if packages - {""}:
            programs |= self._compile_go(task, sorted(packages - {""}), modules, go, work)
        result = {}
        for each in wanted:
            if each.component in self._catalogue.images:
                files = self._assemble(each, modules[0], programs, work)
            else:
                names = packages_of(self._catalogue, each)
                files = {
                    name: self._cache.add(programs[package], name, executable=True) for name, package in names.items()
                }
            provenance = {"modules": [f"{module.path}@{module.version}" for module in modules]}
            self._cache.record(each, "build", files, recipe=fingerprint(self._catalogue, each), provenance=provenance)
            result[each] = files
        return result

    def _compile_go(
        self,
        task: Task,
        packages: Sequence[str],
        modules: Sequence[Module],
        go: GoTool,
        work: Path,
    ) -> dict[str, Path]:
        """Compiles; returns Go package -> program."""
        recipe = self._catalogue.recipes[task.recipe]
        if recipe.cgo:
            go = go.with_compiler(self._c_compiler(task, recipe))
        source, output = work / "source", work / "output"
        source.mkdir()
        output.mkdir()
        if recipe.without:
            gomodule.writable_copy(go, recipe, modules[0], source)
        else:
            gomodule.wrap(go, recipe, modules, source)
        build_flags = gobuild.flags(recipe, modules[0], task.version)
        with self._downloading:
            inputs = gobuild.prepare(go, build_flags, packages, source, task.title)
        with self._building:
            began = time.monotonic()
            gobuild.compile_packages(
                go,
                build_flags,
                packages,
                source,
                output=output,
                inputs=inputs,
                what=task.title,
                report=lambda share: self._progress.advance(self._bar(task), share * recipe.seconds),
            )
            self._notes[task.title] = f"compiled in {time.monotonic() - began:.0f} s"
        return {package: output / gobuild.output_name(package) for package in packages}

    def _compile_c(self, task: Task, module: Module, version: str, work: Path) -> Path:
        recipe = self._catalogue.recipes[task.recipe]
        program = work / "c-program"
        files = [str(path) for path in sorted(module.directory.glob(recipe.compile_c))]
        command = [self._c_compiler(task, recipe), "-Os", "-Wall", "-static", "-s", f"-DVERSION=v{version}"]
        self._notes[task.title] = "compiled"
        self._commands.run([*command, "-o", str(program), *files], what=f"build {task.title}")
        return program

    def _c_compiler(self, task: Task, recipe: Recipe) -> str:
        return compiler.require(
            task.arch,
            recipe.libraries,
            what=task.title,
            cache=self._cache,
            commands=self._commands,
            progress=self._progress,
        )

    def _assemble(
        self, wanted: Wanted, module: Module, programs: Mapping[str, Path], work: Path
    ) -> dict[str, ArtifactFile]:
        image = self._catalogue.images[wanted.component]
        program = programs[image.package]
        if wanted.component == "image-pause":
            entries, config = images.pause(program)
        elif wanted.component == "image-coredns":
            entries, config = images.coredns(program)
        elif wanted.component == "image-metrics-server":
            entries, config = images.metrics_server(program)
        elif wanted.component == "image-agnhost":
            shell = work / "busybox"
            shell.mkdir()
            porter = module.directory / "test/images/agnhost/porter"
            certificates = {name: porter / name for name in ("localhost.crt", "localhost.key")}
            entries, config = images.agnhost(program, certificates, *busybox.obtain(wanted.arch, shell, self._commands))
        else:
            raise KubikkError(f"there is no recipe that assembles {wanted.component}")
        archive = work / f"{wanted.component}.tar"
        ref = fill(image.ref, version=wanted.version)
        images.assemble(entries, config, ref=ref, arch=wanted.arch, work=work, archive=archive)
        return {archive.name: self._cache.add(archive, archive.name, executable=False)}
