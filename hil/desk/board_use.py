"""Who uses a board, as it stands in lock files and in a board's history: one JSON object a line."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Final

from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.masking import Secrets

SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, as people find it again."""

    user: str
    host: str
    pid: int

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, process {self.pid}"


def this_process() -> Owner:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in /etc/passwd
        user = str(os.getuid())
    return Owner(user, socket.gethostname(), os.getpid())


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a board. Times are those of the wall, in microseconds since 1970; 0 is not known."""

    board: str
    owner: Owner
    command: str
    since_us: int
    until_us: int = 0
    """When its owner means to be done; it may take longer."""
    ended_us: int = 0
    """0: still at it, or killed before it could say so."""

    def __str__(self) -> str:
        until = f"until {shown_time(self.until_us)}" if self.until_us else "until it ends"
        return f"{self.owner}: `{self.command}`, since {shown_time(self.since_us)}, {until}"

    def at(self, ended_us: int) -> Use:
        return replace(self, ended_us=ended_us)


def shown_time(at_us: int) -> str:
    """`2026-01-01 00:00:00 UTC`: people of several zones may share a desk."""
    return datetime.fromtimestamp(to_s(at_us), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def without_secrets(text: str) -> str:
    """One line, not too long, with nothing in it that stands where credentials stand."""
    return Secrets().hide(" ".join(text.split()))[:SHOWN_CHARS]


def use_to_json(use: Use) -> str:
    return json.dumps(asdict(use), ensure_ascii=False)


def use_from_json(text: str | bytes) -> Use | None:
    """None for what is no such line: a lock that is being taken, or one that was torn by a kill."""
    try:
        document = json.loads(text)
        owner = Owner(**document.pop("owner"))
        return Use(owner=owner, **document)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
