"""firewalld and ufw: what lets a cluster's traffic through, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from xml.sax.saxutils import quoteattr

from .files import encoded, ensure_absent, ensure_file

RECORD = "/var/lib/kubikk/firewall"
"""Tells that rules of Kubikk's may be on the host."""

NAME = "kubikk"
# firewalld wants zones and policies to have different names.
ZONE = "/etc/firewalld/zones/kubikk.xml"
POLICY = "/etc/firewalld/policies/kubikk-open.xml"
UFW_SETTINGS = "/etc/ufw/ufw.conf"


class FirewallError(Exception):
    """The firewall's own program refused; the text is its own."""


def run(*command):
    """What a program prints.

    Raises:
        FirewallError: it failed.
    """
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    if done.returncode:
        raise FirewallError("%s: %s" % (" ".join(command), (done.stderr or done.stdout).strip()[-600:]))
    return done.stdout


def active():
    """Which of the firewalls filter packets on this host."""
    found = []
    if (
        shutil.which("firewall-cmd")
        and not subprocess.run(["firewall-cmd", "--state"], capture_output=True, check=False, timeout=60).returncode
    ):
        found.append("firewalld")
    try:
        with open(UFW_SETTINGS) as stream:
            if any(line.replace(" ", "").strip().lower() == "enabled=yes" for line in stream):
                found.append("ufw")
    except FileNotFoundError:
        pass
    return found


def zone(sources, networks):
    """firewalld's zone for packets from hosts and pods, which are accepted: to this host and through it."""
    rows = "".join("  <source address=%s/>\n" % quoteattr(source) for source in [*sources, *networks])
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<zone target="ACCEPT">\n  <short>kubikk</short>\n'
        "  <description>Hosts and pods of the cluster. Written by Kubikk.</description>\n" + rows + "</zone>\n"
    )


def policy(ports):
    """firewalld's policy for packets from anywhere to this host's open ports."""
    split = [port.split("/") for port in ports]
    rows = "".join('  <port port="%s" protocol="%s"/>\n' % (number, protocol) for number, protocol in split)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<policy priority="-1" target="CONTINUE">\n'
        "  <short>kubikk-open</short>\n"
        "  <description>What the cluster offers to everybody. Written by Kubikk.</description>\n"
        '  <ingress-zone name="ANY"/>\n  <egress-zone name="HOST"/>\n' + rows + "</policy>\n"
    )


def ufw_rules(sources, networks, ports):
    """ufw's rules, as its own command takes and shows them."""
    return (
        ["allow from " + source for source in [*sources, *networks]]
        + ["route allow %s %s" % (way, network) for network in networks for way in ("from", "to")]
        + ["allow " + port for port in ports]
    )


def ufw_present(text):
    """Kubikk's rules among those of `ufw show added`."""
    mark = " comment '%s'" % NAME
    return [
        line[len("ufw ") : -len(mark)] for line in text.splitlines() if line.startswith("ufw ") and line.endswith(mark)
    ]


def ensure_ufw(wanted, act):
    """Adds rules that are missing, then takes away those that are not wanted any more; returns what was done."""
    present = ufw_present(run("ufw", "show", "added"))
    adding = [rule for rule in wanted if rule not in present]
    removing = [rule for rule in present if rule not in wanted]
    for rule in adding if act else []:
        run("ufw", *rule.split(), "comment", NAME)
    for rule in removing if act else []:
        # ufw asks no question where a rule is named in full.
        words = rule.split()
        run("ufw", *(["route", "delete", *words[1:]] if words[0] == "route" else ["delete", *words]))
    return ["ufw: + " + rule for rule in adding] + ["ufw: - " + rule for rule in removing]


def ensure_firewalld(texts, act):
    """Writes or removes files of firewalld's configuration, and has it read them; returns (paths, diffs).

    Args:
        texts: path -> content, or None for a file that is to go.
        act: False in check mode.
    """
    changed, diffs = [], []
    for path, text in texts.items():
        if text is None:
            if ensure_absent(path, act):
                changed.append(path)
            continue
        entry = {"path": path, "content_base64": encoded(text), "owner": "root", "group": "root", "mode": "0644"}
        written, diff = ensure_file(dict(entry, secret=False, create_only=False), act)
        if written:
            changed.append(path)
            diffs.append(diff)
    if changed and act:
        run("firewall-cmd", "--reload")
    return changed, diffs
