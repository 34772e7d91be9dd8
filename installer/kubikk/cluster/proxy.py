"""The proxy that hosts reach the outside by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from kubikk.cluster.section import Section, describe, refuse


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or parts.path not in ("", "/") or parts.query or any(sign in text for sign in " \"'\\"):
        raise refuse(f"{describe(text)} is no proxy's URL", "Write for example http://proxy.example.com:3128.")
    if parts.username is not None or parts.password is not None:
        raise refuse(
            "the proxy's URL has a user name or password; units' files, which it goes to, are readable by everybody",
            "Let the proxy admit the hosts by their addresses.",
        )
    return text.rstrip("/")


def _exception(text: str) -> str:
    if not text or any(sign in text for sign in " ,\"'\\") or "://" in text:
        raise refuse(
            f"{describe(text)} is no host, domain or network", "Write for example 10.0.0.0/8 or .example.com, one each."
        )
    return text


Url = Annotated[str, AfterValidator(_url)]


class Proxy(Section):
    """For hosts without a way out: container runtimes pull images by it, and packages are installed by it.

    This machine's own downloads follow its own environment (HTTPS_PROXY).
    """

    http: Url | None = Field(default=None, description="Proxy for http, for example http://proxy.example.com:3128.")
    https: Url | None = Field(default=None, description="Proxy for https; by default the one for http.")
    no_proxy: Annotated[tuple[Annotated[str, AfterValidator(_exception)], ...], Field(strict=False)] = Field(
        default=(),
        description="What is reached without it, beside pods and Services: hosts, domains "
        "(`.example.com`) and networks.",
    )

    def environment(self, own: Iterable[str]) -> dict[str, str]:
        """Variables of programs on hosts; none without a proxy.

        Args:
            own: what belongs to the cluster and is never asked of a proxy.
        """
        https = self.https or self.http
        if https is None:
            return {}
        found = {"HTTPS_PROXY": https, "NO_PROXY": ",".join([*own, *self.no_proxy])}
        return found | ({"HTTP_PROXY": self.http} if self.http else {})
