"""Programs that run on hosts: Python 3.9, standard library only, read from here and fed to the host's python3."""

from __future__ import annotations

from importlib import resources


def source(name: str) -> str:
    """The text of a program.

    Args:
        name: its module's name, for example ``facts``.
    """
    return resources.files(__name__).joinpath(f"{name}.py").read_text()
