"""A front: the sockets of one platform that speak one protocol, and what the server gives to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.entropy import SystemEntropy
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.trace import Trace

KIB: Final = 1024
MIB: Final = 1024 * KIB

OnBug = Callable[[Envelope | None, BaseException], None]
"""Records a bug of ours or a failure of the machine, with the envelope during which it came up, if there was one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a connection."""

    body_bytes: int = 16 * MIB
    """The largest body over HTTP that is not an upload (see `HttpContainerRules.upload_bytes`)."""
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
    """Session ids are unique across all fronts of the server."""
    on_refused: Callable[[], None] = lambda: None
    """Called when an answer shows as refused: the listeners may have to close."""
    perform: Callable[[Sequence[Output]], None] = lambda _: None
    """Gets the server's outputs after each event of a session, also when there are none; they may be for a session of
    another front of the platform. After an HTTP request too, where the platform has sessions."""
    limits: Limits = field(default_factory=Limits)
    uniform: Callable[[float, float], float] = field(default_factory=lambda: SystemEntropy().uniform)
    """Chance: a number from the first on, below the second."""


class Front(Protocol):
    """Belongs to the event loop it was opened in. Holds a writer for each session that is open."""

    async def listen(self, listener: Any) -> None:
        """Opens a listener of the kind that the front takes; from then on it accepts."""

    async def close(self) -> None:
        """Stops accepting and closes all connections."""

    def perform(self, outputs: Sequence[Output]) -> None:
        """Performs the outputs for sessions of this front, and ignores all others."""

    def refuse(self) -> None:
        """Refuses connections from now on, and resets those that are open."""

    async def accept_again(self) -> None:
        """The end of `refuse`."""


class BoundListener(Protocol):
    """An address that is held from the start: a `Listener` of connections, or a `DatagramListener`."""

    name: str
    address: Address
    """With the real port in place of port 0."""

    def judge_by(self, handshakes: Handshakes) -> None:
        """Who is asked while peers shake hands, where they do: before it opens."""

    def close(self) -> None:
        """Gives the port back."""


OnFull = Callable[[OSError], None]
BindListener = Callable[[str, Address, ServerTls | None, OnFull], BoundListener]
"""`bind(name, address, tls, on_full)`. Raises BrokenBench or UsageError when the port is not available."""


@dataclass(frozen=True, slots=True)
class ListenerKind:
    """How the listeners of one name speak. Those of a platform with the same `make` share a front."""

    make: Callable[[Server, FrontTools], Front]
    is_tls: bool = False
    alpn: tuple[str, ...] = ()
    """Names for what it speaks over TLS (ALPN), if the protocol has any."""
    url_scheme: str = ""
    """The scheme in URLs, if it is not the listener's name."""
    bind: BindListener = Listener
