"""Container images in containerd's store, imported from archives."""

from __future__ import annotations

import json
import os
import subprocess

from .artifacts import directory_of

RECORD = "/var/lib/kubikk/images.json"
CTR = ["/usr/local/bin/ctr", "--namespace", "k8s.io", "images"]


class ImageError(Exception):
    """containerd refused an image; the text is its own."""


def _ctr(*arguments):
    done = subprocess.run([*CTR, *arguments], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise ImageError("ctr images %s: %s" % (arguments[0], done.stderr.strip()))
    return done.stdout


def _record():
    try:
        with open(RECORD) as stream:
            return json.load(stream)
    except (FileNotFoundError, ValueError):
        return {}


def ensure_images(images, act):
    """Imports images whose name is missing, or whose archive is another than the one imported last.

    Args:
        images: [{ref, component, version, files: {archive: {sha256}}}], each with one archive.
        act: False to only say what would be done.

    Returns:
        The names that were imported.

    Raises:
        ImageError: containerd refused.
    """
    if not images:
        return []
    record = _record()
    try:
        present = set(_ctr("list", "--quiet").split())
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
        _ctr("import", "--local", "--digests=false", os.path.join(directory_of(image), archive))
        record[image["ref"]] = wanted["sha256"]
    if wanting and act:
        os.makedirs(os.path.dirname(RECORD), exist_ok=True)
        with open(RECORD + ".new", "w") as stream:
            json.dump(record, stream, sort_keys=True)
        os.rename(RECORD + ".new", RECORD)
    return [image["ref"] for image in wanting]
