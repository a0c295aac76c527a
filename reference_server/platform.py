"""What a platform is to the server: a pure function of envelope, session and time over its store.

Each platform is a `ServerPlatform`, and an `HttpPlatform` or a `SessionPlatform` or both, by what its listeners speak.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fleetrig.reference_server.coap_rules import PLAIN_COAP, CoapRules
from fleetrig.reference_server.http_container import HttpContainerRules
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A platform's response to an HTTP request, and what only the trace gets to know about it."""

    response: HttpResponse
    reason: str = ""
    """For a person, when something was refused: what was wrong and what to do. It is never sent."""
    device: str = ""
    """The id of the device concerned, if there is one."""
    changed: str = ""
    """What changed in the registry, for the trace: `target created`, `action 4 finished`; empty for reads."""
    rollback: bool = False
    """The transaction is rolled back (an error was found half way)."""
    steps: Sequence[str] = ()
    """What the platform did on its way to the answer, in order, in its own words: an event of the trace each."""


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """In place of an HTTP answer: it comes later, as an `Answer` in a reaction.

    A platform that gives these is a `HoldingPlatform`. What it keeps of the request it keeps from the commit on.
    """

    held_id: int
    """Never twice from one platform; not 0."""
    device: str = ""
    changed: str = ""
    steps: Sequence[str] = ()
    """Those until it is held."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a platform does when a session opens, says something or closes, or when something is due.

    The fields beside `outputs` mean what they mean in an `HttpAnswer`.
    """

    outputs: Sequence[Output] = ()
    reason: str = ""
    device: str = ""
    changed: str = ""
    rollback: bool = False
    """Not in `advance`, where one transaction holds all reactions."""
    steps: Sequence[str] = ()


NOTHING = Reaction()


@dataclass(frozen=True, slots=True)
class HandshakeAnswer:
    """What a platform says to the certificates of a peer, or to the identity of its pre-shared key.

    The fields from `reason` on mean what they mean in an `HttpAnswer`; a refusal needs a reason.
    """

    alert: TlsAlert | None = None
    """Ends the handshake."""
    psk: bytes | None = None
    """The key of the identity; without one the handshake comes to nothing."""
    reason: str = ""
    device: str = ""
    changed: str = ""
    rollback: bool = False
    steps: Sequence[str] = ()


ACCEPTED = HandshakeAnswer()


@dataclass(frozen=True, slots=True)
class VerifiedClient:
    """What a TLS terminator finds out about the certificate that a client has shown."""

    reason: str = ""
    """Why it is not accepted, as OpenSSL says it; empty when it is."""
    common_name: str = ""
    issuer_hashes: tuple[str, ...] = ()
    """`openssl x509 -issuer_hash` of the certificate, then of each authority above it."""
    explanation: str = ""
    """What the reason leaves open, for traces."""


class ClientVerifier(Protocol):
    """Whom a TLS terminator trusts to issue client certificates."""

    def verify(self, chain: tuple[bytes, ...], now_us: int) -> VerifiedClient:
        """`chain` in DER as `Session.certificates` has it: not empty, and anything may be wrong with it."""


class ServerPlatform(Protocol):
    """One emulated server. It has no I/O, clock or randomness of its own."""

    name: str

    def next_due_us(self) -> int | None:
        """When something happens by itself next (auto-assignment, lapsed windows, pushes); None if never.

        Asked often, after each envelope of a session too: keep it cheap.
        """

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Does everything that is due, in a transaction opened by `server.py`."""

    def secrets(self) -> list[tuple[str, str]]:
        """(kind, value) of secrets that came up since the last call, to be masked from now on."""


@runtime_checkable
class MemoryAdvancingPlatform(ServerPlatform, Protocol):
    """A platform some of whose due work needs no store: it is done even if that fails."""

    def advance_in_memory(self, now_us: int) -> Sequence[Reaction]:
        """Before each `advance` and outside of any transaction: it neither reads nor writes."""


@runtime_checkable
class AddressedPlatform(ServerPlatform, Protocol):
    """A platform that sends devices to places of its own, and so has to know where those are."""

    def listens_at(self, urls: Mapping[str, str]) -> None:
        """Listener -> `mqtt://127.0.0.1:1883`. Called once, before anything is said; it neither reads nor writes."""


@runtime_checkable
class HttpPlatform(ServerPlatform, Protocol):
    """A platform that answers HTTP requests."""

    container_rules: HttpContainerRules

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        """One request, one transaction (opened by `server.py`)."""


@runtime_checkable
class HoldingPlatform(HttpPlatform, Protocol):
    """A platform that answers some HTTP requests later: long polls, and what runs out of time."""

    def left(self, held_id: int, now_us: int) -> None:
        """Nobody waits for the answer any more. Harmless once it was given. It writes nothing."""


def context_path_of(platform: ServerPlatform) -> str:
    """What all URLs of a platform begin with after their host; empty for most."""
    return platform.container_rules.context_path if isinstance(platform, HttpPlatform) else ""


@runtime_checkable
class SessionPlatform(ServerPlatform, Protocol):
    """A platform with sessions that last: MQTT connections, CoAP endpoints. Each call is one transaction."""

    def opened(self, session: Session, now_us: int) -> Reaction:
        """A connection is open, TLS included."""

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        """An envelope has come on the session."""

    def closed(self, session: Session, now_us: int) -> Reaction:
        """The session has ended, by either side: called once for each session that was opened."""


@runtime_checkable
class FailurePlatform(SessionPlatform, Protocol):
    """A platform with an answer of its own when the store has failed; without one a connection is reset."""

    def failed(self, session: Session, envelope: Envelope, reason: str, now_us: int) -> Reaction:
        """Nothing of what `envelope` has asked for is kept. Outside of any transaction: it neither reads nor writes.

        A slow store too (`slow_store`): then it may be kept all the same.
        """

    def gives_up_after_us(self, envelope: Envelope) -> int | None:
        """After how long without an answer from its store the platform answers by itself; None: never."""


@runtime_checkable
class CoapPlatform(SessionPlatform, Protocol):
    """A platform that has its own ways with CoAP; those without get `PLAIN_COAP`."""

    coap_rules: CoapRules


def coap_rules_of(platform: ServerPlatform) -> CoapRules:
    return platform.coap_rules if isinstance(platform, CoapPlatform) else PLAIN_COAP


@runtime_checkable
class HandshakePlatform(ServerPlatform, Protocol):
    """A platform that judges peers while they shake hands, before anything is said on their connection."""

    def handshake(self, session: Session, now_us: int) -> HandshakeAnswer:
        """One transaction. `session` has `certificates` or a `psk_identity`, never both."""


PlatformBuilder = Callable[[Store, Blobs, Entropy], ServerPlatform]
