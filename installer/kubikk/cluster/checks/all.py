"""The list of checks."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.cluster.checks import api, cloud, hosts, network, settings
from kubikk.cluster.checks.draft import Draft, Finding
from kubikk.cluster.document import Document


def findings(draft: Draft, document: Document) -> Iterator[Finding]:
    """Everything that is wrong between keys.

    Args:
        draft: what is valid by itself.
        document: for lines that messages mention.
    """
    yield from hosts.duplicates(draft, document)
    yield from hosts.control_plane(draft)
    yield from hosts.etcd_members(draft)
    yield from hosts.settings_of_nodes(draft)
    yield from network.overlaps(draft)
    yield from network.room_for_nodes(draft)
    yield from network.ipv6_addresses(draft)
    yield from network.settings_of_flannel(draft)
    yield from api.endpoint(draft)
    yield from cloud.settings_of_cloud(draft)
    yield from cloud.provider_ids(draft, document)
    yield from cloud.instances_of_aws(draft)
    yield from cloud.one_architecture(draft)
    yield from settings.mirror(draft)
    yield from settings.owned_settings(draft)
