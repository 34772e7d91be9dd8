"""etcd: snapshots that are taken on a schedule, and how many members there may be."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from kubikk.cluster.section import Section, describe, refuse

OFF = "off"
# A scratch member's socket lies below it, and the kernel allows 108 bytes for a socket's path.
_LONGEST_DIRECTORY = 64
_CALENDAR = re.compile(r"[A-Za-z0-9*.,:/~ -]+")


def _schedule(text: str) -> str:
    if not _CALENDAR.fullmatch(text):
        raise refuse(
            f"{describe(text)} is no time of systemd's calendar",
            "Write off, daily, or for example 02:30 or Mon 04:00; `systemd-analyze calendar` explains what there is.",
        )
    return text


def _directory(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", text) or ".." in text:
        raise refuse(f"{describe(text)} is no absolute path of plain letters", "Write for example /srv/etcd-snapshots.")
    if len(text) > _LONGEST_DIRECTORY:
        raise refuse(f"the path {describe(text)} has {len(text)} characters, expected at most {_LONGEST_DIRECTORY}")
    if f"{text}/".startswith("/var/lib/etcd/"):
        raise refuse("snapshots beside the data are lost with it", "Use a directory outside of /var/lib/etcd.")
    return text


class Snapshots(Section):
    """Snapshots that every member takes of itself."""

    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        default="daily",
        description="When, as a calendar event of systemd (`daily`, `hourly`, `02:30`, `Mon 04:00` …), or `off`. "
        "Each member takes its own within an hour of it and verifies it by starting a scratch member.",
    )
    keep: int = Field(
        default=7, ge=1, le=1000, description="How many stay, on each member and in `inventory/<name>/snapshots/`."
    )
    directory: Annotated[str, AfterValidator(_directory)] = Field(
        default="/var/lib/kubikk/etcd-snapshots",
        description="Where they lie on the members; `reset` deletes the default one, and leaves any other.",
    )


class Etcd(Section):
    """The cluster's data store."""

    snapshots: Snapshots = Field(default=Snapshots(), description="Snapshots that every member takes of itself.")
    allow_even: bool = Field(
        default=False,
        description="Accept an even number of members for a while, as until a dead one's replacement is there.",
    )
