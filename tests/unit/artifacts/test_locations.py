"""Upstream addresses, replaced and as relative paths."""

from __future__ import annotations

import pytest

from kubikk.artifacts.locations import relative_path, rewrite
from kubikk.artifacts.mirror import image_url

URL = "https://dl.k8s.io/release/v1.37.2/bin/linux/amd64/kubelet"


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({}, URL),
        ({"https://dl.k8s.io": "http://x/y"}, "http://x/y/release/v1.37.2/bin/linux/amd64/kubelet"),
        ({"https://dl.k8s.io/": "http://x/"}, "http://x/release/v1.37.2/bin/linux/amd64/kubelet"),
        ({"https://dl.k8s": "http://x"}, URL),
        (
            {"https://dl.k8s.io": "http://x", "https://dl.k8s.io/release/v1.37.2": "http://y"},
            "http://y/bin/linux/amd64/kubelet",
        ),
    ],
)
def test_rewrite(addresses: dict[str, str], expected: str) -> None:
    assert rewrite(URL, addresses) == expected


def test_relative_paths() -> None:
    assert relative_path(URL) == "dl.k8s.io/release/v1.37.2/bin/linux/amd64/kubelet"
    image = image_url("registry.k8s.io/coredns/coredns:v1.14.6", "arm64")
    assert relative_path(image) == "registry.k8s.io/coredns/coredns/v1.14.6/arm64.tar"
