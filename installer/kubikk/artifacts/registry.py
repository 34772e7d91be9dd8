"""Pulls container images over the registry HTTP API and writes them as OCI archives.

Protocol: OCI distribution specification 1.1; bearer tokens as registries hand them out to anonymous readers.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kubikk.artifacts import oci
from kubikk.artifacts.models import Arch
from kubikk.artifacts.transfer import Transfer
from kubikk.errors import KubikkError

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
Report = Callable[[int, int | None], None]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """An image reference with a tag.

    Attributes:
        host: the registry.
        repository: path in the registry.
        tag: the tag.
    """

    host: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Reads for example ``registry.k8s.io/coredns/coredns:v1.14.6``."""
        name, _, tag = text.rpartition(":")
        host, _, repository = name.partition("/")
        return cls(host, repository, tag)


class Registry:
    """Pulls images.

    Args:
        transfer: does the requests.
        address: address at the registry -> the address to ask.
    """

    def __init__(self, transfer: Transfer, address: Callable[[str], str]) -> None:
        self._transfer = transfer
        self._address = address

    def pull(self, ref: str, arch: Arch, work: Path, archive: Path, report: Report) -> str:
        """Writes the image as an OCI archive; returns the digest its tag stands for.

        Args:
            ref: the reference, with a tag.
            arch: which of its platforms.
            work: an empty directory for its parts.
            archive: the file to write.
            report: called with bytes done and bytes in total.

        Raises:
            KubikkError: it cannot be had, or a part is not what its digest says.
        """
        reference = Reference.parse(ref)
        content, media_type = self._manifest(reference, reference.tag)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        document = _parse(content, ref)
        if media_type in _INDEXES:
            content, media_type = self._manifest(reference, choose_platform(document, arch, ref))
            document = _parse(content, ref)
        if media_type not in _MANIFESTS:
            raise KubikkError(f"{ref} is of a kind that Kubikk does not know: {media_type}")
        try:
            descriptors = [document["config"], *document["layers"]]
            total = sum(int(each["size"]) for each in descriptors)
            digests = [str(each["digest"]) for each in descriptors]
        except (KeyError, TypeError, ValueError) as error:
            raise KubikkError(f"the manifest of {ref} cannot be understood", cause=repr(error)) from error
        blobs: list[oci.Blob] = []
        for each in digests:
            before = sum(blob.size for blob in blobs)
            path = self._blob(reference, each, functools.partial(_report_part, report, before, total))
            part = work / f"blob-{len(blobs)}"
            path.replace(part)
            blobs.append(oci.Blob(each.removeprefix("sha256:"), part.stat().st_size, part))
        oci.write_archive(
            archive,
            ref,
            arch,
            manifest=oci.Blob.of(content),
            media_type=media_type,
            config=blobs[0],
            layers=blobs[1:],
        )
        return digest

    def _manifest(self, reference: Reference, name: str) -> tuple[bytes, str]:
        url = self._address(f"https://{reference.host}/v2/{reference.repository}/manifests/{name}")
        response = self._transfer.get(url, {"Accept": ", ".join([*_INDEXES, *_MANIFESTS])}, self._authorize)
        content = response.content
        if _DIGEST.fullmatch(name) and f"sha256:{hashlib.sha256(content).hexdigest()}" != name:
            raise KubikkError(f"{url} is not what its digest says: it is refused")
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        if media_type not in (*_INDEXES, *_MANIFESTS):
            media_type = str(_parse(content, url).get("mediaType", media_type))
        return content, media_type

    def _blob(self, reference: Reference, digest: str, report: Report) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise KubikkError(
                f"{reference.repository}:{reference.tag} names a part by something else than sha256: {digest}"
            )
        url = self._address(f"https://{reference.host}/v2/{reference.repository}/blobs/{digest}")
        return self._transfer.download(url, digest.removeprefix("sha256:"), report, self._authorize)

    def _authorize(self, response: httpx.Response) -> Mapping[str, str] | None:
        """An anonymous token, as the registry's answer describes how to get one."""
        scheme, _, rest = response.headers.get("WWW-Authenticate", "").partition(" ")
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.pop("realm", "")
        if scheme.lower() != "bearer" or not realm:
            return None
        wanted = {key: value for key, value in parameters.items() if key in ("service", "scope")}
        answer = _parse(self._transfer.get(str(httpx.URL(realm, params=wanted))).content, realm)
        token = answer.get("token") or answer.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else None


def _report_part(report: Report, before: int, total: int, done: int, _: int | None) -> None:
    report(before + done, total)


def choose_platform(index: Mapping[str, Any], arch: Arch, ref: str) -> str:
    """The digest of the manifest for Linux on this architecture.

    Raises:
        KubikkError: the image has none.
    """
    for manifest in index.get("manifests", ()):
        platform = manifest.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", arch):
            return str(manifest["digest"])
    raise KubikkError(f"{ref} has no image for linux/{arch}")


def _parse(content: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise KubikkError(f"the registry's answer for {what} cannot be understood", cause=str(error)) from error
    if not isinstance(document, dict):
        raise KubikkError(f"the registry's answer for {what} cannot be understood")
    return document
