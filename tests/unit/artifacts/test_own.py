"""Programs that the operator brings: a file, or an address."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from kubikk.artifacts import ArtifactSettings, OwnProgram, obtain_own
from kubikk.errors import KubikkError
from kubikk.progress import Silent

CONTENT = b"a program"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_file(tmp_path: Path) -> None:
    source, settings = tmp_path / "ccm", ArtifactSettings(cache=tmp_path / "cache")
    source.write_bytes(CONTENT)
    artifact = obtain_own(OwnProgram("manager", str(source), SHA256), {"amd64"}, settings, Silent())
    file = artifact.files["amd64"]["manager"]
    assert artifact.version == SHA256[:12]
    assert (file.sha256, file.size, file.path.read_bytes()) == (SHA256, len(CONTENT), CONTENT)
    assert os.access(file.path, os.X_OK)
    # Once in the cache, the file itself is not needed.
    source.unlink()
    assert obtain_own(OwnProgram("manager", str(source), SHA256), {"amd64"}, settings, Silent()) == artifact


def test_another_file(tmp_path: Path) -> None:
    source = tmp_path / "ccm"
    source.write_bytes(b"another")
    program = OwnProgram("manager", str(source), SHA256)
    with pytest.raises(KubikkError, match="is not the program that the cluster file means") as raised:
        obtain_own(program, {"amd64"}, ArtifactSettings(cache=tmp_path / "cache"), Silent())
    assert "cloud.program.sha256" in (raised.value.remedy or "")
