"""What there is for an architecture."""

from __future__ import annotations

DOCUMENTATION = r"""
name: of_arch
short_description: List all artifacts that there are for an architecture
options:
  _input:
    description: Artifacts by name, each with version, and per architecture its files.
    type: dict
    required: true
  arch:
    description: Architecture of the host.
    type: str
    required: true
"""

EXAMPLES = r"""
artifacts: "{{ kubikk_artifacts | kubikk.kubikk.of_arch('amd64') }}"
"""

RETURN = r"""
_value:
  description:
    - For each artifact its component, version and files, as the module M(kubikk.kubikk.probe) takes them.
  type: list
  elements: dict
"""


def of_arch(artifacts, arch):
    """The entries for ``artifacts`` of the module probe."""
    return [
        {"component": str(name), "version": artifact["version"], "files": artifact[arch]["files"]}
        for name, artifact in artifacts.items()
        if arch in artifact
    ]


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"of_arch": of_arch}
