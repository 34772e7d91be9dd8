"""The units of container runtimes carry the proxy; without one, they are what they were."""

from __future__ import annotations

import pytest
from jinja2 import Environment, FileSystemLoader

from kubikk.paths import content_root

TEMPLATES = [("containerd", "containerd.service.j2"), ("cri_o", "crio.service.j2"), ("docker", "restart.conf.j2")]
PROXY = {"NO_PROXY": "10.0.0.0/8,.svc", "HTTPS_PROXY": "http://proxy.example.com:3128", "HTTP_PROXY": "http://p%20:1"}


def render(role: str, template: str, proxy: dict[str, str]) -> list[str]:
    loader = FileSystemLoader(content_root() / "roles" / role / "templates")
    # As the action plugin of the module component sets them. Units are no HTML.
    environment = Environment(loader=loader, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    return environment.get_template(template).render({f"{role}_proxy": proxy}).splitlines()


@pytest.mark.parametrize(("role", "template"), TEMPLATES)
def test_environment(role: str, template: str) -> None:
    with_proxy, without = render(role, template, PROXY), render(role, template, {})
    assert [line for line in with_proxy if line not in without] == [
        'Environment="HTTP_PROXY=http://p%%20:1"',  # systemd takes a single % for a specifier
        'Environment="HTTPS_PROXY=http://proxy.example.com:3128"',
        'Environment="NO_PROXY=10.0.0.0/8,.svc"',
    ]
    assert [line for line in with_proxy if line in without] == without
    assert with_proxy.index("[Service]") < with_proxy.index('Environment="NO_PROXY=10.0.0.0/8,.svc"')
