"""The cloud and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator

from kubikk.cluster.checks.draft import Draft, DraftHost, Finding
from kubikk.cluster.document import Document

# How AWS calls instances by itself, for example ip-10-0-0-11.eu-west-1.compute.internal.
_PRIVATE_DNS = ".internal"
_FLAGS = ("components", "cloud-controller-manager", "flags")


def settings_of_cloud(draft: Draft) -> Iterator[Finding]:
    """Settings that have an effect with this provider, and those that a program cannot do without."""
    provider = draft.value("cloud", "provider")
    if provider is None:
        return
    has_program = draft.given("cloud", "program") is not None
    runs = provider == "aws" or has_program
    if has_program and provider != "external":
        yield Finding(
            ("cloud", "program"),
            f"the program has no effect with provider: {provider}",
            "Write provider: external, or remove the program.",
        )
    for key in ("config", "environment"):
        if draft.given("cloud", key) is not None and not runs:
            yield Finding(
                ("cloud", key),
                f"{key} has no effect: Kubikk runs no cloud-controller-manager with provider: {provider}",
                "Write provider: aws, or provider: external with a program; or remove it.",
            )
    if provider == "external" and has_program and draft.given(*_FLAGS, "cloud-provider") is None:
        yield Finding(
            ("cloud", "program"),
            "the program has to be told which cloud it works for",
            "Add components.cloud-controller-manager.flags.cloud-provider, for example openstack.",
        )


def provider_ids(draft: Draft, document: Document) -> Iterator[Finding]:
    """Provider IDs have an effect in a cloud only, and no two hosts are one machine."""
    first: dict[str, DraftHost] = {}
    for host in draft.hosts:
        location = (*host.location, "provider_id")
        given = draft.given(*location)
        if given is None:
            continue
        if draft.value("cloud", "provider") == "none":
            yield Finding(location, "provider_id has no effect without a cloud", "Set cloud.provider, or remove it.")
        before = first.setdefault(given, host)
        if before is not host:
            line = document.line((*before.location, "provider_id"))
            yield Finding(
                location,
                f"the provider ID {given} is already that of the host {before.label} in line {line}",
                "Write each machine's own.",
            )


def instances_of_aws(draft: Draft) -> Iterator[Finding]:
    """AWS's program can tell which instance a node is: it deletes those that it cannot, once they are not Ready."""
    if draft.value("cloud", "provider") != "aws":
        return
    for host in draft.hosts:
        location = (*host.location, "provider_id")
        named = host.name is None or host.name.endswith(_PRIVATE_DNS)
        if host.is_node and not named and not draft.holds(*location) and draft.valid(*location):
            yield Finding(
                host.location,
                f"AWS has no instance that is called {host.label}; the cloud-controller-manager would delete its node",
                "Add provider_id, for example aws:///eu-west-1a/i-0123456789abcdef0.",
            )


def one_architecture(draft: Draft) -> Iterator[Finding]:
    """A program runs on one architecture."""
    control_planes = [host for host in draft.hosts if "control-plane" in (host.roles or ())]
    archs = {draft.given(*host.location, "arch") or "amd64" for host in control_planes}
    if draft.given("cloud", "program") is not None and len(archs) > 1:
        yield Finding(
            ("cloud", "program"),
            "the control-plane hosts have different architectures, and the program runs on one",
            "Use control-plane hosts of one architecture.",
        )
