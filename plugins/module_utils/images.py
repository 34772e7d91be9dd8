"""Container images in a runtime's store, imported from archives."""

from __future__ import annotations

import json
import os
import subprocess

from .artifacts import directory_of
from .runtimes import RUNTIMES

RECORD = "/var/lib/kubikk/images.json"
CTR = ["/usr/local/bin/ctr", "--namespace", "k8s.io", "images"]
# Seconds: a socket that systemd holds takes connections, whether its daemon ever comes up or not.
LISTING, IMPORTING = 15, 300
CRIO_SOCKET = RUNTIMES["cri-o"]["socket"]
CRICTL = ["/usr/local/bin/crictl", "--runtime-endpoint", CRIO_SOCKET, "--image-endpoint", CRIO_SOCKET]


class ImageError(Exception):
    """The runtime refused an image; the text is its own."""

    kind = "image"


def _run(command, timeout):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise ImageError("%s: no answer in %d s" % (" ".join(command), timeout)) from error
    if done.returncode != 0:
        raise ImageError("%s: %s" % (" ".join(command), done.stderr.strip()))
    return done.stdout


def tags_of(listing):
    """The names of images in what ``crictl images --output=json`` prints."""
    return [tag for image in json.loads(listing)["images"] for tag in image["repoTags"]]


# For each runtime: the command that lists images, how its output is read, and the command that imports an archive.
STORES = {
    "containerd": (
        [*CTR, "list", "--quiet"],
        str.split,
        lambda archive, ref: [*CTR, "import", "--local", "--digests=false", archive],
    ),
    "cri-o": (
        [*CRICTL, "images", "--output=json"],
        tags_of,
        # What was shipped was verified by its sha256; signatures are a registry's matter.
        lambda archive, ref: [
            "skopeo",
            "--insecure-policy",
            "copy",
            "oci-archive:" + archive,
            "containers-storage:" + ref,
        ],
    ),
    "docker": (
        ["docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}"],
        str.split,
        lambda archive, ref: ["docker", "load", "--input=" + archive],
    ),
}


def _record():
    try:
        with open(RECORD) as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}


def ensure_images(images, runtime, act):
    """Imports images whose name is missing, or whose archive is another than the one imported last.

    Args:
        images: [{ref, component, version, files: {archive: {sha256}}}], each with one archive.
        runtime: into whose store, a key of ``STORES``.
        act: False to only say what would be done.

    Returns:
        The names that were imported.

    Raises:
        ImageError: the runtime refused.
    """
    if not images:
        return []
    list_command, read, import_command = STORES[runtime]
    record = _record()
    try:
        present = set(read(_run(list_command, LISTING)))
    except (ImageError, FileNotFoundError):
        if act:
            raise
        present = set()
    archives = {image["ref"]: next(iter(image["files"].items())) for image in images}
    wanting = [
        image
        for image in images
        if image["ref"] not in present or record.get(image["ref"]) != archives[image["ref"]][1]["sha256"]
    ]
    for image in wanting if act else []:
        archive, wanted = archives[image["ref"]]
        _run(import_command(os.path.join(directory_of(image), archive), image["ref"]), IMPORTING)
        record[image["ref"]] = wanted["sha256"]
    if wanting and act:
        os.makedirs(os.path.dirname(RECORD), exist_ok=True)
        with open(RECORD + ".new", "w") as stream:
            json.dump(record, stream, sort_keys=True)
        os.rename(RECORD + ".new", RECORD)
    return [image["ref"] for image in wanting]
