"""The kinds of checksum lists that publishers have."""

from __future__ import annotations

import json

import pytest

from kubikk.artifacts.published import find_checksum

A, B = "a" * 64, "b" * 64
GITHUB = json.dumps(
    {
        "assets": [
            {"name": "other", "digest": f"sha256:{B}"},
            {"name": "x.tgz", "digest": f"sha256:{A}"},
            {"name": "old"},
        ]
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(A, A, id="bare"),
        pytest.param(f"{A.upper()}\n", A, id="bare, upper case, with newline"),
        pytest.param(f"{B}  other\n{A}  x.tgz\n", A, id="sha256sum"),
        pytest.param(f"{A} *./x.tgz", A, id="sha256sum in binary mode, with directory"),
        pytest.param(f"SHA256 (x.tgz) = {A}\n", A, id="BSD"),
        pytest.param(GITHUB, A, id="GitHub"),
        pytest.param(f"{B}  other.tgz", None, id="another file's"),
        pytest.param(f"{B}  not-x.tgz", None, id="name that ends alike"),
        pytest.param(f"{A}\n{B}\n", None, id="two bare ones"),
        pytest.param("a" * 63, None, id="too short"),
        pytest.param("a" * 128, None, id="sha512"),
        pytest.param("<html>blocked</html>", None, id="a portal's page"),
        pytest.param('{"message": "rate limited"}', None, id="GitHub says no"),
        pytest.param("{", None, id="broken JSON"),
    ],
)
def test_find_checksum(text: str, expected: str | None) -> None:
    assert find_checksum(text, "x.tgz") == expected
