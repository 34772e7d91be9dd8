"""TOML from dictionaries."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: to_toml
short_description: Render a dictionary as TOML
options:
  _input:
    description: The dictionary.
    type: dict
    required: true
"""

EXAMPLES = r"""
config: "{{ {'version': 3, 'plugins': {}} | kubikk.kubikk.to_toml }}"
"""

RETURN = r"""
_value:
  description: TOML text; keys keep their order.
  type: str
"""


def plain(value):
    """The value without Ansible's own types, which a TOML writer does not know."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    raise AnsibleFilterError("to_toml: %r has no place in TOML" % type(value).__name__)


def to_toml(value):
    """The TOML text of a dictionary."""
    try:
        import tomli_w  # noqa: PLC0415 (only hosts' roles that write TOML need it)
    except ImportError as error:
        raise AnsibleFilterError("to_toml needs the Python package tomli-w on the control node") from error
    return tomli_w.dumps(plain(value))


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"to_toml": to_toml}
