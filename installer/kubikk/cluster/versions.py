"""Kubernetes versions that this version of Kubikk installs."""

from __future__ import annotations

DEFAULT = "v1.37.2"
SUPPORTED = (DEFAULT, "v1.36.3")
