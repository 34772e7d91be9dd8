"""Questions to a DNS server, sent from one of the hosts; message format: RFC 1035, section 4."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from tests.cluster.support.access import Access

A = 1
CNAME = 5
NO_ERROR = 0
NO_SUCH_NAME = 3
_SEND = """
import socket, sys
server, question = sys.argv[1], bytes.fromhex(sys.argv[2])
for attempt in range(3):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.connect((server, 53))
        try:
            sock.send(question)
            print(sock.recv(4096).hex())
            break
        except OSError:
            pass
"""


@dataclass(frozen=True)
class Answer:
    """A server's answer.

    Attributes:
        code: 0 for success, 3 where the name does not exist.
        addresses: of the A records.
        aliases: names the CNAME records point to, without the last dot.
    """

    code: int
    addresses: frozenset[str]
    aliases: tuple[str, ...]


def ask(access: Access, host: str, server: str, name: str) -> Answer | None:
    """Asks for a name's IPv4 addresses.

    Args:
        access: to hosts.
        host: who asks.
        server: whom.
        name: complete, without the last dot.

    Returns:
        The answer, or None where the server is silent.
    """
    question = _question(secrets.randbelow(1 << 16), name)
    reply = access.python(host, _SEND, server, question.hex())
    return parse(bytes.fromhex(reply)) if reply else None


def _question(number: int, name: str) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", A, 1)


def parse(message: bytes) -> Answer:
    """Reads an answer.

    Args:
        message: as received.
    """
    _, flags, questions, answers = struct.unpack_from(">4H", message)
    position = 12
    for _ in range(questions):
        position = _name(message, position)[1] + 4
    addresses, aliases = set(), []
    for _ in range(answers):
        position = _name(message, position)[1]
        kind, _, _, length = struct.unpack_from(">HHIH", message, position)
        position += 10
        if kind == A:
            addresses.add(str(IPv4Address(message[position : position + 4])))
        elif kind == CNAME:
            aliases.append(_name(message, position)[0])
        position += length
    return Answer(flags & 0xF, frozenset(addresses), tuple(aliases))


def _name(message: bytes, position: int) -> tuple[str, int]:
    """The name at a position, and the position behind it."""
    labels = []
    end = 0
    while (length := message[position]) != 0:
        if length >= 0xC0:  # the rest stands elsewhere
            end = end or position + 2
            position = struct.unpack_from(">H", message, position)[0] & 0x3FFF
            continue
        labels.append(message[position + 1 : position + 1 + length].decode())
        position += 1 + length
    return ".".join(labels), end or position + 1
