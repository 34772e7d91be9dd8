"""Every Secret is written again, page by page, and what was not is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from kubikk.errors import KubikkError
from kubikk.hosts.secrets import rewrite


class Server:
    """Holds Secrets as an API server does: each write has a higher number, and what would stay the same is not written.

    Of those in ``new`` even the key would stay the same.
    """

    def __init__(
        self, count: int, *, page: int = 500, answers: dict[str, int] | None = None, new: tuple[str, ...] = ()
    ) -> None:
        self.version = 100
        self.new = new
        self.page = page
        self.answers = answers or {}
        self.secrets = {f"s{number}": 50 + number for number in range(count)}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            code = self.answers.get(name, 200)
            if code == 200 and name not in self.new:
                assert json.loads(request.content)["metadata"]["resourceVersion"] == str(self.secrets[name])
                self.version += 1
                self.secrets[name] = self.version
            return httpx.Response(code, json={"message": f"{name} is refused"})
        begin = int(request.url.params.get("continue", "0"))
        names = list(self.secrets)[begin : begin + min(self.page, int(request.url.params["limit"]))]
        items: list[dict[str, Any]] = [
            {"metadata": {"namespace": "n", "name": each, "uid": each, "resourceVersion": str(self.secrets[each])}}
            for each in names
        ]
        rest = str(begin + len(names)) if begin + len(names) < len(self.secrets) else ""
        return httpx.Response(200, json={"items": items, "metadata": {"resourceVersion": "100", "continue": rest}})

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), base_url="https://api")


@pytest.mark.parametrize(("count", "page"), [(0, 500), (1, 500), (7, 3), (6, 3)])
def test_all_are_written(count: int, page: int) -> None:
    server = Server(count, page=page)
    assert rewrite(server.client()) == count
    assert all(version > 100 for version in server.secrets.values())


def test_one_that_was_written_with_the_new_key_before_is_left_as_it_is() -> None:
    server = Server(3, new=("s1",))
    assert rewrite(server.client()) == 3
    assert server.secrets["s1"] < 100


def test_one_that_somebody_just_changed_is_left_to_them_and_looked_at_again() -> None:
    # It answers "conflict", and yet was not written since: something is odd, and the old key has to stay.
    with pytest.raises(KubikkError, match="1 Secrets were not written again: n/s1"):
        rewrite(Server(3, answers={"s1": 409}).client())


def test_a_refused_one_stops_it() -> None:
    with pytest.raises(KubikkError, match="n/s2 cannot be written again") as caught:
        rewrite(Server(3, answers={"s2": 403}).client())
    assert caught.value.cause == "the API server answers 403: s2 is refused"
