"""What balances requests to the API on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: api_balancer
short_description: Tell what balances requests to the API on a host
options:
  _input:
    description: How hosts reach the API servers.
    type: str
    choices: [local, keepalived, external]
    required: true
  is_control_plane:
    description: Whether the host has an API server.
    type: bool
    required: true
"""

EXAMPLES = r"""
service: "{{ 'local' | kubikk.kubikk.api_balancer(false) }}"
"""

RETURN = r"""
_value:
  description: V(haproxy), V(keepalived), or empty where nothing runs.
  type: str
"""


def api_balancer(kind, is_control_plane):
    """The service that runs on a host, "" for none.

    Raises:
        KeyError: there is no such kind.
    """
    found = {
        "local": "" if is_control_plane else "haproxy",
        "keepalived": "keepalived" if is_control_plane else "",
        "external": "",
    }
    return found[str(kind)]


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"api_balancer": api_balancer}
