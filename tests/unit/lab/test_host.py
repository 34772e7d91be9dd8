"""A host's command line, files and keys."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from kubikk.lab.host import DATA_DIRECTORIES, HostPaths, nspawn_command
from kubikk.lab.host_files import MachineFacts, network_unit, reachable_name_servers, write_host_files
from kubikk.lab.keys import ensure_key, known_hosts
from kubikk.lab.processes import namespace_pids
from kubikk.lab.recipe import Recipe
from kubikk.lab.state import HostState

_HOST = HostState("cp1", "control-plane", "10.199.0.11", "ab" * 16, "/base")
_SUBNET = IPv4Network("10.199.0.0/24")


def test_nspawn_command() -> None:
    command = nspawn_command("lab", _HOST, HostPaths(Path("/state/lab/hosts/cp1")))
    assert command[0] == "systemd-nspawn"
    assert "--machine=lab-cp1" in command
    assert "--directory=/state/lab/hosts/cp1/root" in command
    assert "--bind=/state/lab/hosts/cp1/data/etcd:/var/lib/etcd" in command
    assert len([part for part in command if part.startswith("--bind=")]) == len(DATA_DIRECTORIES)


def test_network_unit() -> None:
    text = network_unit("10.199.0.11", _SUBNET, 1400, ipv6=True)
    assert "Address=10.199.0.11/24\nGateway=10.199.0.1\n" in text
    assert "MTUBytes=1400\n" in text
    assert "Address=fd00:10:199::11/64\nGateway=fd00:10:199::1\n" in text


def test_network_unit_without_ipv6() -> None:
    assert "fd00" not in network_unit("10.199.0.11", _SUBNET, 1400, ipv6=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 192.0.2.53\nsearch test\n", "nameserver 192.0.2.53\nsearch test\n"),
        ("nameserver 127.0.0.53\nnameserver 192.0.2.53\n", "nameserver 192.0.2.53\n"),
        ("nameserver 127.0.0.53\noptions edns0\n", ""),
        ("nameserver ::1\n", ""),
        ("", ""),
    ],
)
def test_name_servers_of_the_machine_itself_are_left_out(text: str, expected: str) -> None:
    assert reachable_name_servers(text) == expected


def test_host_files(tmp_path: Path) -> None:
    root, key = tmp_path / "root", tmp_path / "host_key"
    (root / "root").mkdir(parents=True)
    public = ensure_key(key)
    facts = MachineFacts(
        1500, False, "nameserver 192.0.2.53\n", b"", "Types: deb\n", "", {"/etc/apt/keyrings/a.gpg": b"k"}
    )

    def write() -> dict[str, int]:
        write_host_files(root, _HOST, _SUBNET, facts, host_key=key, authorized_key="ssh-ed25519 AAAA")
        return {str(path.relative_to(root)): path.stat().st_ino for path in root.rglob("*") if path.is_file()}

    first = write()
    assert (root / "etc/hostname").read_text() == "cp1\n"
    assert "10.199.0.11 cp1\n" in (root / "etc/hosts").read_text()
    assert (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().strip() == public
    assert (root / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
    assert (root / "root/.ssh").stat().st_mode & 0o777 == 0o700
    assert "etc/apt/keyrings/a.gpg" in first
    assert write() == first


def test_keys_are_made_once_and_known(tmp_path: Path) -> None:
    public = ensure_key(tmp_path / "key")
    assert public.startswith("ssh-ed25519 AAAA")
    assert ensure_key(tmp_path / "key") == public
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert known_hosts({"192.0.2.1": public}) == f"192.0.2.1 {public}\n"


def test_namespace_pids() -> None:
    assert namespace_pids("Name:\tsystemd\nNSpid:\t4711\t1\n") == [4711, 1]
    assert namespace_pids("Name:\tx\n") == []


def test_recipe_key_follows_everything_in_it() -> None:
    keys = {
        Recipe("amd64").key(),
        Recipe("arm64").key(),
        Recipe("amd64", packages=("systemd",)).key(),
        Recipe("amd64", files={}).key(),
    }
    assert len(keys) == 4
    assert Recipe("amd64").key() == Recipe("amd64").key()
