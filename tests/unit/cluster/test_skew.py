"""Which version may follow on which, and what the cluster file is made of it."""

from __future__ import annotations

import pytest

from kubikk.cluster.skew import refusals
from kubikk.cluster.version_edit import with_version
from kubikk.errors import KubikkError

API = "kube-apiserver"

# what runs, the wanted version, what is said of it
CASES = [
    ({API: "1.36.3", "kubelet": "1.36.3"}, "v1.37.2", []),
    ({API: "1.37.2", "kubelet": "1.36.3"}, "v1.37.2", []),  # an upgrade that did not end
    ({API: "1.37.1", "kubelet": "1.37.1"}, "v1.37.2", []),
    ({API: "1.37.2", "kubelet": "1.37.2"}, "v1.37.2", []),
    ({API: "", "kubelet": ""}, "v1.37.2", []),
    ({API: "1.37.2"}, "v1.36.3", ["kube-apiserver 1.37.2 runs there, and there is no way back to v1.36.3"]),
    ({"kubelet": "1.37.2"}, "v1.37.1", ["kubelet 1.37.2 runs there, and there is no way back to v1.37.1"]),
    ({API: "1.35.9"}, "v1.37.2", ["kube-apiserver 1.35.9 runs there, and v1.37.2 would skip a minor version"]),
    ({API: "1.34.1"}, "v1.37.2", ["kube-apiserver 1.34.1 runs there, and v1.37.2 would skip minor versions"]),
    (
        {"kube-scheduler": "1.35.0"},
        "v1.37.2",
        ["kube-scheduler 1.35.0 runs there, and v1.37.2 would skip"],
    ),
    ({API: "1.36.3", "kubelet": "1.34.0"}, "v1.37.2", []),
    (
        {API: "1.36.3", "kubelet": "1.33.0"},
        "v1.37.2",
        ["kubelet 1.33.0 runs there, and v1.37.2 would skip"],
    ),
    ({API: "1.9.11"}, "v1.10.0", []),  # numbers, not text
    ({API: "1.37.2"}, "v2.0.0", ["kube-apiserver 1.37.2 runs there, and v2.0.0 would skip minor versions"]),
]


@pytest.mark.parametrize(("running", "target", "expected"), CASES)
def test_version_skew(running: dict[str, str], target: str, expected: list[str]) -> None:
    found = refusals({"cp1": running}, target)
    assert len(found) == len(expected)
    assert all(problem.message.startswith(text) for problem, text in zip(found, expected, strict=True))
    assert all(problem.key == "cp1" and problem.code is not None for problem in found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: b\nkubernetes:\n  version: v1.36.3  # c\nd: []\n", "a: b\nkubernetes:\n  version: v1.37.2  # c\nd: []\n"),
        ("kubernetes: {version: v1.36.3, drain_timeout: 9}\n", "kubernetes: {version: v1.37.2, drain_timeout: 9}\n"),
        ('kubernetes: {"version": "v1.36.3"}\n', 'kubernetes: {"version": v1.37.2}\n'),
        ("# version: v1.36.3\nname: a\n", "# version: v1.36.3\nname: a\n"),
        ("kubernetes: {drain_timeout: 9}\n", "kubernetes: {drain_timeout: 9}\n"),
    ],
)
def test_the_version_is_written_and_nothing_else(before: str, after: str) -> None:
    assert with_version(before, "v1.37.2") == after


def test_a_file_that_means_another_default_is_not_guessed_at() -> None:
    with pytest.raises(KubikkError, match="names no version"):
        with_version("name: a\n", "v1.36.3")
