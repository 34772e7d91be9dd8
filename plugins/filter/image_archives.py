"""Which image archives a host gets."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_archives
short_description: Pick the archives of images for an architecture
options:
  _input:
    description: Artifacts by name, images among them, each with version, ref, and per architecture its files.
    type: dict
    required: true
  names:
    description: Names of the images wanted.
    type: list
    elements: str
    required: true
  arch:
    description: Architecture of the host.
    type: str
    required: true
"""

EXAMPLES = r"""
images: "{{ kubikk_artifacts | kubikk.kubikk.image_archives(['image-pause'], 'amd64') }}"
"""

RETURN = r"""
_value:
  description:
    - For each image its component, version, files and ref, as the module M(kubikk.kubikk.component) takes them.
  type: list
  elements: dict
"""


def image_archives(artifacts, names, arch):
    """The images' entries for ``images`` of the module component."""
    return [
        {
            "component": str(name),
            "version": artifacts[name]["version"],
            "ref": artifacts[name]["ref"],
            "files": artifacts[name][arch]["files"],
        }
        for name in names
    ]


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"image_archives": image_archives}
