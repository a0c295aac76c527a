"""What a front is: the sockets of one platform that speak one protocol, and what a server hands to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.trace import Trace

KIB: Final = 1024
MIB: Final = 1024 * KIB

OnBug = Callable[[Envelope | None, BaseException], None]
"""Takes note of a mistake of ours, with the envelope it came up with, if there was one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may ask of us."""

    body_bytes: int = 16 * MIB
    """A body that is no upload (`HttpContainerRules.upload_bytes`), or a packet: documents, never images."""
    in_memory_bytes: int = 64 * KIB
    idle_s: float = 60.0
    """How long a connection may be silent between requests or in the middle of a body."""


@dataclass(frozen=True, slots=True)
class FrontTools:
    """The parts of a running server that its fronts share."""

    clock: Clock
    trace: Trace
    on_bug: OnBug
    next_session_id: Callable[[], int]
    """Session ids are counted through all fronts of the server."""
    on_refused: Callable[[], None] = lambda: None
    """Called when an answer shows as refused: perhaps nobody should listen now."""
    perform: Callable[[Sequence[Output]], None] = lambda _: None
    """Takes what the server says when a session opens, says something or closes, be it nothing; it may be for a session
    of another front of the platform."""
    limits: Limits = field(default_factory=Limits)


class Front(Protocol):
    """Belongs to the event loop it was opened in. Holds a writer for each session that is open."""

    async def listen(self, listener: Listener) -> None:
        """Opens a listener; from then on it accepts."""

    async def close(self) -> None:
        """Stops accepting and closes all connections."""

    def perform(self, outputs: Sequence[Output]) -> None:
        """Sends and closes what the server says to sessions of this front, and passes over all others."""

    def refuse(self) -> None:
        """From now on connecting is refused, and all connections are reset."""

    async def accept_again(self) -> None:
        """The end of `refuse`."""


@dataclass(frozen=True, slots=True)
class ListenerKind:
    """How the listeners of one name speak. Those of a platform with the same `make` share a front."""

    make: Callable[[Server, FrontTools], Front]
    is_tls: bool = False
    url_scheme: str = ""
    """In URLs, where that is not the listener's name."""
