"""What a platform is to the server: a pure function of envelope, connection and time over its store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform says on the wire, and beside the wire why."""

    response: HttpResponse
    reason: str = ""
    """For a person, when something was refused: what was wrong and what to do. Never on the wire."""
    device: str = ""
    """The controllerId or other device id that this was about, if there is one."""
    changed: str = ""
    """What changed in the registry, for the trace: `target created`, `action 4 finished`; empty for reads."""
    rollback: bool = False
    """The transaction is undone (an error was found half way)."""


class Platform(Protocol):
    """One emulated server. No I/O, no clock, no chance of its own."""

    name: str

    def serves(self, request: HttpRequest) -> bool:
        """True when a path of this platform is meant; the first platform that says so answers."""

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> Answer:
        """One envelope, one transaction (opened by `server.py`)."""

    def next_due_us(self) -> int | None:
        """When something happens by itself next (auto-assignment, lapsed windows, lazy writes); None if never."""

    def advance(self, now_us: int) -> None:
        """Lets everything happen that is due."""

    def secrets(self) -> list[tuple[str, str]]:
        """(kind, value) of secrets that came up since the last call, to be masked from now on."""
