"""Command-line flags from dictionaries."""

from __future__ import annotations

DOCUMENTATION = r"""
name: flags
short_description: Merge dictionaries of flags and render them sorted
options:
  _input:
    description: Default flags.
    type: dict
    required: true
  overrides:
    description: Flags that take precedence; a null removes one.
    type: dict
"""

EXAMPLES = r"""
flags: "{{ {'profiling': false, 'v': 2} | kubikk.kubikk.flags({'v': 4}) }}"
"""

RETURN = r"""
_value:
  description: Flags as C(--name=value), sorted; booleans as true and false, lists joined by commas.
  type: list
  elements: str
"""


def render(value):
    """A flag's value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(render(item) for item in value)
    return str(value)


def flags(defaults, overrides=None):
    """The merged flags as a sorted list of ``--name=value``."""
    merged = dict(defaults)
    merged.update(overrides or {})
    return ["--%s=%s" % (name, render(value)) for name, value in sorted(merged.items()) if value is not None]


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"flags": flags}
