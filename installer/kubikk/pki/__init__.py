"""Certificate authorities, certificates and keys of a cluster, in ``inventory/<name>/pki``."""

from kubikk.pki.ensure import Issued, PkiReport, ensure
from kubikk.pki.kubeconfig import endpoints, kubeconfig, write_kubeconfig
from kubikk.pki.listing import CertificateInfo, certificates, describe

__all__ = [
    "CertificateInfo",
    "Issued",
    "PkiReport",
    "certificates",
    "describe",
    "endpoints",
    "ensure",
    "kubeconfig",
    "write_kubeconfig",
]
