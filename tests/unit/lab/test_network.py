"""Choice of subnets and addresses, and the packet filter rules."""

from __future__ import annotations

import json
from ipaddress import IPv4Network

import pytest

from kubikk.errors import KubikkError
from kubikk.lab import names, network


@pytest.mark.parametrize(
    ("in_use", "expected"),
    [
        ([], "10.199.0.0/24"),
        (["10.199.0.0/24"], "10.199.1.0/24"),
        (["10.199.0.0/24", "10.199.2.0/24", "192.0.2.0/24"], "10.199.1.0/24"),
        (["10.199.0.0/16"], "10.211.0.0/24"),
        (["10.199.0.77/32"], "10.199.1.0/24"),
        (["10.0.0.0/8"], "192.168.192.0/24"),
    ],
)
def test_free_subnet(in_use: list[str], expected: str) -> None:
    assert network.free_subnet(map(IPv4Network, in_use)) == IPv4Network(expected)


def test_no_free_subnet() -> None:
    with pytest.raises(KubikkError, match="No subnet is free"):
        network.free_subnet([IPv4Network("0.0.0.0/0")])


def test_addresses_of_all_hosts_differ_and_fit() -> None:
    subnet = IPv4Network("10.199.3.0/24")
    addresses = {network.host_address(subnet, "control-plane", number) for number in range(1, 31)}
    addresses |= {network.host_address(subnet, "worker", number) for number in range(1, 151)}
    assert len(addresses) == 180
    assert network.gateway(subnet) not in addresses
    assert str(network.host_address(subnet, "control-plane", 1)) == "10.199.3.11"
    assert str(network.host_address(subnet, "worker", 1)) == "10.199.3.51"


def test_routes() -> None:
    output = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"dst": "192.0.2.7", "dev": "tun0"},
        {"type": "broadcast", "dst": "192.0.2.255", "dev": "eth0"},
    ]
    assert network.routes(json.dumps(output)) == [IPv4Network("192.0.2.0/24"), IPv4Network("192.0.2.7/32")]
    assert network.routes("") == []


def test_every_rule_is_in_the_labs_own_chain() -> None:
    rules = network.rules("lab", IPv4Network("10.199.0.0/24"))
    assert all(rule[2] == names.chain("lab") for rule in [[table, flag, chain] for table, flag, chain, *_ in rules])


def test_traffic_between_hosts_is_not_masked() -> None:
    (nat,) = [rule for table, *rule in network.rules("lab", IPv4Network("10.199.0.0/24")) if table == "nat"]
    assert nat[-5:] == ["!", "-o", names.bridge("lab"), "-j", "MASQUERADE"]
