"""Kubeconfigs for components, which name the files of their certificates."""

from __future__ import annotations

import yaml

DOCUMENTATION = r"""
name: kubeconfig
short_description: Build the kubeconfig of a component
description:
  - Names certificate and key files on the host rather than embedding them, so that a renewed certificate needs no
    new kubeconfig.
options:
  _input:
    description: Name of the user.
    type: str
    required: true
  server:
    description: URL of the API server.
    type: str
    required: true
  ca:
    description: File of the CA on the host.
    type: path
    required: true
  cert:
    description: File of the client certificate on the host.
    type: path
    required: true
  key:
    description: File of the client key on the host.
    type: path
    required: true
"""

EXAMPLES = r"""
kubeconfig: >-
  {{ 'system:kube-proxy' | kubikk.kubikk.kubeconfig(
     server='https://127.0.0.1:6443', ca='/etc/kubernetes/kube-proxy/ca.crt',
     cert='/etc/kubernetes/kube-proxy/client.crt', key='/etc/kubernetes/kube-proxy/client.key') }}
"""

RETURN = r"""
_value:
  description: The kubeconfig as YAML.
  type: str
"""


def kubeconfig(user, server, ca, cert, key):
    """The kubeconfig's text."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"server": str(server), "certificate-authority": str(ca)}}],
        "users": [{"name": str(user), "user": {"client-certificate": str(cert), "client-key": str(key)}}],
        "contexts": [{"name": "default", "context": {"cluster": "kubernetes", "user": str(user)}}],
        "current-context": "default",
    }
    return yaml.safe_dump(config, sort_keys=True)


class FilterModule:
    """Registers the filter."""

    def filters(self):
        """Name to function."""
        return {"kubeconfig": kubeconfig}
