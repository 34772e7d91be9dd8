"""One encrypted, verified and authenticated connection to an SSH server."""

from __future__ import annotations

import logging
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

from kubikk.error_codes import HOST_KEY_CHANGED, HOST_KEY_UNKNOWN, LOGIN_REFUSED, UNREACHABLE
from kubikk.errors import KubikkError
from kubikk.hosts.ssh import known_hosts
from kubikk.hosts.ssh.identities import identities
from kubikk.hosts.ssh.known_hosts import Verdict
from kubikk.hosts.ssh.route import Hop

CONNECT_TIMEOUT = 10.0  # seconds, for each of: network, banner, key exchange, every key offered

# paramiko logs what it raises anyway, with tracebacks, from its own threads.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


def open_transport(hop: Hop, before: paramiko.Transport | None, host: str) -> paramiko.Transport:
    """Connects to a server, checks its key, and logs in.

    Args:
        hop: the server.
        before: connection to the hop before it, or None.
        host: name in the cluster file of the host this is for, for messages.

    Raises:
        KubikkError: it cannot be reached, its key is not known, or it accepts no key.
    """
    entries = known_hosts.about(known_hosts.read(hop.known_hosts), hop.address, hop.port, hop.host_key_name)
    with _translated(hop, host):
        transport = paramiko.Transport(_socket(hop, before, host))
    try:
        transport.banner_timeout = transport.auth_timeout = CONNECT_TIMEOUT
        options = transport.get_security_options()
        options.key_types = tuple(known_hosts.preferred_algorithms(entries, options.key_types))
        with _translated(hop, host):
            key = _exchange_keys(transport)
        _check_key(key, entries, hop, host)
        _log_in(transport, hop, host)
    except BaseException:
        transport.close()
        raise
    return transport


@contextmanager
def _translated(hop: Hop, host: str) -> Iterator[None]:
    """What the network and paramiko raise, as one kind of error."""
    what = f"{host} cannot be reached over SSH at {_place(hop)}"
    try:
        yield
    except paramiko.ChannelException as error:
        cause = f"the jump host says: {error.text}" if error.text else "the jump host refuses to pass the connection on"
        remedy = f"Check from the jump host that {_place(hop)} answers, and that its sshd has AllowTcpForwarding on."
        raise KubikkError(what, host=host, cause=cause, remedy=remedy, code=UNREACHABLE) from error
    except socket.gaierror as error:
        cause = f"the name {hop.address} does not resolve"
        remedy = "Write an address in the cluster file, or mend DNS."
        raise KubikkError(what, host=host, cause=cause, remedy=remedy, code=UNREACHABLE) from error
    except TimeoutError as error:
        cause = f"no answer within {CONNECT_TIMEOUT:.0f} s"
        remedy = "Check that the host is on, that the address is right, and that no firewall drops the connection."
        raise KubikkError(what, host=host, cause=cause, remedy=remedy, code=UNREACHABLE) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        cause = str(getattr(error, "strerror", None) or error) or "the connection was closed"
        remedy = "Check that an SSH server runs there and lets this machine in."
        raise KubikkError(what, host=host, cause=cause, remedy=remedy, code=UNREACHABLE) from error


def _place(hop: Hop) -> str:
    return f"{hop.address} port {hop.port}"


def _socket(hop: Hop, before: paramiko.Transport | None, host: str) -> Any:
    """The stream that the connection runs over."""
    if before:
        return before.open_channel("direct-tcpip", (hop.address, hop.port), ("127.0.0.1", 0), timeout=CONNECT_TIMEOUT)
    if hop.proxy_command:
        return _proxy(hop.proxy_command, host)
    return socket.create_connection((hop.address, hop.port), timeout=CONNECT_TIMEOUT)


def _proxy(command: str, host: str) -> socket.socket:
    """A socket whose other end is a command's standard input and output; the command ends when it is closed."""
    ours, theirs = socket.socketpair()
    try:
        subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            close_fds=True,
        )
    except OSError as error:
        ours.close()
        raise KubikkError(f"The proxy command of {host} cannot be started", host=host, cause=str(error)) from error
    finally:
        theirs.close()
    return ours


def _exchange_keys(transport: paramiko.Transport) -> paramiko.PKey:
    """Agrees on encryption with the server, and tells its key."""
    transport.start_client(timeout=CONNECT_TIMEOUT)
    try:
        return transport.get_remote_server_key()
    except paramiko.SSHException as error:
        # When time is up, start_client returns as if all were well.
        raise TimeoutError from error


def _check_key(key: paramiko.PKey, entries: list[known_hosts.Entry], hop: Hop, host: str) -> None:
    verdict, place = known_hosts.judge(entries, key.get_name(), key.get_base64())
    if verdict is Verdict.KNOWN:
        return
    shown = f"the server at {_place(hop)} shows the {key.get_name()} key {key.fingerprint}"
    name = hop.host_key_name or known_hosts.lookup_name(hop.address, hop.port)
    file = hop.known_hosts[0] if hop.known_hosts else Path("~/.ssh/known_hosts")
    if verdict is Verdict.REVOKED:
        remedy = "Do not connect. Give the host a new key (ssh-keygen -A after deleting the old one)."
        raise KubikkError(
            f"The host key of {host} is revoked",
            host=host,
            cause=f"{shown}, see {place}",
            remedy=remedy,
            code=HOST_KEY_CHANGED,
        )
    if verdict is Verdict.CHANGED:
        raise KubikkError(
            f"The host key of {host} has changed",
            host=host,
            cause=f"{shown}; {place} has another. Somebody may be listening in, or the host was installed anew",
            remedy=f"If you know why it changed: ssh-keygen -R '{name}' -f {file}, then add the new key.",
            code=HOST_KEY_CHANGED,
        )
    certified = any(entry.marker == "@cert-authority" for entry in entries)
    raise KubikkError(
        f"The host key of {host} is not known",
        host=host,
        cause=f"{shown}, which is in none of {', '.join(map(str, hop.known_hosts))}"
        + ("; host certificates (@cert-authority) are not supported here" if certified else ""),
        remedy=_remedy_for_unknown(hop, file),
        code=HOST_KEY_UNKNOWN,
    )


def _remedy_for_unknown(hop: Hop, file: Path) -> str:
    # ssh-keyscan cannot pass through another host.
    if hop.via or hop.proxy_command:
        jump = f"-J {hop.via.user}@{hop.via.address}:{hop.via.port} " if hop.via else ""
        option = f"-o UserKnownHostsFile={file} "
        return f"Connect once and compare the fingerprint: ssh {jump}{option}-p {hop.port} {hop.user}@{hop.address}"
    scan = f"ssh-keyscan -p {hop.port} {hop.address} >> {file}"
    return f"Add it, and compare its fingerprint with the host's own: {scan}"


def _log_in(transport: paramiko.Transport, hop: Hop, host: str) -> None:
    with identities(hop) as found:
        offered = []
        for name, key in found.keys:
            try:
                further = transport.auth_publickey(hop.user, key)
            except paramiko.AuthenticationException:
                offered.append(name)
                if not transport.is_active():
                    break
                continue
            except (paramiko.SSHException, OSError, EOFError) as error:
                # The server has had enough, or a key that it or the agent cannot use.
                offered.append(f"{name}: {error or 'the connection was closed'}")
                if not transport.is_active():
                    break
                continue
            if not further:
                return
            offered.append(f"{name}: accepted, but the server also wants {', '.join(further)}")
        if offered:
            cause = f"it accepted none of these keys: {'; '.join(offered)}."
            remedy = f"Put the public key into ~{hop.user}/.ssh/authorized_keys there, or name another key (ssh.key)."
        else:
            cause = "There is no key to offer."
            remedy = "Load the key into an agent with ssh-add, or name another key (ssh.key)."
        raise KubikkError(
            f"{host} does not let {hop.user} in at {_place(hop)}",
            host=host,
            cause=" ".join([cause, *found.problems]),
            remedy=remedy,
            code=LOGIN_REFUSED,
        )
