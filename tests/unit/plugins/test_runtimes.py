"""Every part of Kubikk knows the same container runtimes; one that is taken off takes nothing else with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.kubikk.kubikk.plugins.module_utils.images import STORES
from ansible_collections.kubikk.kubikk.plugins.module_utils.runtimes import RUNTIMES
from ansible_collections.kubikk.kubikk.plugins.modules import uninstall

from kubikk.artifacts import wanted_for
from kubikk.cluster import runtime
from kubikk.hosts.layout import RUNTIME_SERVICES
from kubikk.paths import content_root


def test_all_know_the_same() -> None:
    assert set(RUNTIMES) == set(STORES) == set(RUNTIME_SERVICES) == set(runtime.RUNTIMES)
    assert wanted_for("v1.37.2", ["amd64"], runtimes=runtime.RUNTIMES)
    host = yaml.safe_load((content_root() / "roles/host/defaults/main.yml").read_text())
    for name, path in host["_host_runtime_units"].items():
        assert path == f"/etc/systemd/system/{RUNTIMES[name]['units'][0]}.service"
        assert RUNTIMES[name]["units"][0] in RUNTIME_SERVICES[name]


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in the place of systemd's."""
    monkeypatch.setattr(uninstall, "UNIT_DIRECTORY", tmp_path)
    monkeypatch.setattr(uninstall, "call", lambda *command, **options: "")
    return tmp_path


def test_what_kubikk_did_not_install_is_not_there(units: Path) -> None:
    # A drop-in is Kubikk's, the service itself the distribution's: this containerd belongs to Docker.
    (units / "containerd.service.d").mkdir()
    (units / "containerd.service.d/kubikk.conf").touch()
    (units / "cri-docker.service").touch()
    assert [name for name in RUNTIMES if uninstall.is_installed(name)] == ["docker"]


def test_the_first_unit_goes_last(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = RUNTIMES["docker"]["units"]
    for name in ("cri-docker.service", "cri-docker.socket", "docker.service.d/kubikk.conf"):
        (units / name).parent.mkdir(exist_ok=True)
        (units / name).touch()
    gone: list[str] = []
    unlink = Path.unlink

    def noted(path: Path) -> None:
        gone.append(path.name)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", noted)
    uninstall.remove_unit_files(names, act=True)
    assert gone == ["kubikk.conf", "cri-docker.socket", "cri-docker.service"]
    assert list(units.iterdir()) == []


def test_links_into_what_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uninstall, "LINK_DIRECTORIES", (tmp_path,))
    (tmp_path / "crio").symlink_to("/opt/kubikk/cri-o/1.36.3/crio")
    (tmp_path / "kubelet").symlink_to("/opt/kubikk/kubelet/1.37.2/kubelet")
    assert uninstall.remove_links(RUNTIMES["cri-o"]["paths"], act=True) == [str(tmp_path / "crio")]
    assert [path.name for path in tmp_path.iterdir()] == ["kubelet"]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("0::/system.slice/crio.service\n", {"", "system.slice", "crio.service"}),
        (
            "3:memory:/kubepods/burstable/pod1/c1\n1:name=systemd:/system.slice/containerd.service\n",
            {"", "kubepods", "burstable", "pod1", "c1", "system.slice", "containerd.service"},
        ),
    ],
)
def test_group_names(groups: str, expected: set[str]) -> None:
    assert uninstall.group_names(groups) == expected
