"""The roots of the images that Kubikk assembles itself, modelled on what upstream's Dockerfiles put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kubikk.artifacts import oci
from kubikk.artifacts.models import Arch
from kubikk.artifacts.oci import Entry, ImageConfig

FORMAT = 1  # part of a recipe's fingerprint: raise it when an image's content changes

# VFS_CAP_REVISION_2 with the effective bit, and CAP_NET_BIND_SERVICE permitted (linux/capability.h). CoreDNS runs as an
# ordinary user and listens on port 53.
_NET_BIND_SERVICE = bytes.fromhex("0100000200040000000000000000000000000000")

_ACCOUNTS = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
_GROUPS = "root:x:0:\nnobody:x:65534:\n"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _account_files(passwd: str = "", group: str = "") -> list[Entry]:
    return [
        Entry("etc"),
        Entry("etc/passwd", (_ACCOUNTS + passwd).encode(), mode=0o644),
        Entry("etc/group", (_GROUPS + group).encode(), mode=0o644),
    ]


def pause(program: Path) -> tuple[list[Entry], ImageConfig]:
    """The sandbox image: one static program, run as 65535."""
    return [Entry("pause", program)], ImageConfig(["/pause"], user="65535:65535", environment={"PATH": _PATH})


def coredns(program: Path) -> tuple[list[Entry], ImageConfig]:
    """CoreDNS, run as the user nonroot (65532), able to bind port 53."""
    entries = [
        *_account_files("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n", "nonroot:x:65532:\n"),
        Entry("tmp", mode=0o1777),
        Entry("coredns", program, capabilities=_NET_BIND_SERVICE),
    ]
    return entries, ImageConfig(["/coredns"], user="65532:65532", environment={"PATH": _PATH})


def metrics_server(program: Path) -> tuple[list[Entry], ImageConfig]:
    """metrics-server, run as nobody."""
    entries = [*_account_files(), Entry("tmp", mode=0o1777), Entry("metrics-server", program)]
    return entries, ImageConfig(["/metrics-server"], user="65534", environment={"PATH": _PATH})


def agnhost(
    program: Path, certificates: Mapping[str, Path], busybox: Path, applets: Sequence[str]
) -> tuple[list[Entry], ImageConfig]:
    """The test image.

    Args:
        program: agnhost.
        certificates: file name -> file, as agnhost's ``porter`` wants them in its working directory.
        busybox: static program.
        applets: the commands it stands for.
    """
    entries = [
        Entry("bin"),
        Entry("bin/busybox", busybox),
        *(Entry(f"bin/{applet}", link="busybox") for applet in sorted(set(applets) - {"busybox"})),
        *_account_files(
            "user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh\n",
            "user-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n",
        ),
        Entry("root", mode=0o700),
        Entry("tmp", mode=0o1777),
        Entry("uploads"),
        Entry("agnhost", program),
        Entry("agnhost-2", link="agnhost"),
        *(Entry(name, file, mode=0o644) for name, file in sorted(certificates.items())),
    ]
    return entries, ImageConfig(["/agnhost"], ["pause"], environment={"PATH": _PATH})


def assemble(entries: Sequence[Entry], config: ImageConfig, *, ref: str, arch: Arch, work: Path, archive: Path) -> None:
    """Writes the image's archive.

    Args:
        entries: the root.
        config: how it is run.
        ref: its name.
        arch: its architecture.
        work: directory for the layer.
        archive: the file to write.
    """
    layer = work / f"{archive.name}.layer"
    oci.write_layer(entries, layer)
    oci.write_image(archive, ref, arch, layer, config)
    layer.unlink()
