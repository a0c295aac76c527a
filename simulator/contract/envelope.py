"""What goes over a wire, and the conversation that a server makes of it.

A server hears when a session opens, what comes on it and when it closes, and answers with outputs; it also has
outputs of its own accord (`Conversation.advance`). Every envelope has a `line`: one line by which faults, refusals,
console, evidence and trace speak of it.

Devices and servers share these shapes and nothing else: what a platform's words mean is written twice, once in
`simulator.flows` and once in `reference_server.platforms`, so that a misunderstanding cannot hide in shared code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from fleetrig.simulator.contract.coap import CoapMessage, CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import Body, HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import MqttPacket, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Undecodable

Envelope = HttpRequest | HttpResponse | MqttPacket | CoapMessage | Undecodable
"""`Undecodable` only ever comes in."""


def payload_of(envelope: Envelope) -> Body:
    """The body of an HTTP message, the payload of a PUBLISH or a CoAP message; empty for all else."""
    match envelope:
        case HttpRequest() | HttpResponse():
            return envelope.body
        case MqttPublish() | CoapRequest() | CoapResponse():
            return envelope.payload
        case _:
            return b""


def without_payload(envelope: Envelope) -> Envelope:
    """The same envelope with nothing in it."""
    match envelope:
        case HttpRequest() | HttpResponse():
            return replace(envelope, body=b"")
        case MqttPublish() | CoapRequest() | CoapResponse():
            return replace(envelope, payload=b"")
        case _:
            return envelope


class WireForm(StrEnum):
    """What becomes of an envelope on the wire; everything but WHOLE is a fault, performed by fronts byte for byte."""

    WHOLE = "whole"
    HALF = "half"
    """Its first bytes only (`Send.cut_after_bytes`), and nothing more on that connection."""
    MALFORMED = "malformed"
    """As many bytes, but no message of the protocol."""
    LOST = "lost"
    """CoAP: the first `Send.copies` datagrams that carry it do not arrive. What is confirmable is sent again."""
    TWICE = "twice"
    """CoAP: its datagram arrives twice."""


@dataclass(frozen=True, slots=True)
class Send:
    """An envelope on its way to a session's peer, `delay_us` from now. Sessions that are gone by then get nothing."""

    session: int
    envelope: Envelope
    delay_us: int = 0
    form: WireForm = WireForm.WHOLE
    cut_after_bytes: int | None = None
    """HALF: half of it when None."""
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Close:
    """The server ends a session, `delay_us` from now: in order (CLOSED) or not (RESET); SILENCE: it forgets it."""

    session: int
    ending: Ending = Ending.CLOSED
    delay_us: int = 0


@dataclass(frozen=True, slots=True)
class Unheard:
    """CoAP: the request that has just come, and `copies` - 1 repetitions of it, count as never arrived."""

    session: int
    copies: int = 1


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """HTTP: what a request gets that was held (`Ending.HELD`). Nobody hears it whose client has left."""

    session: int
    held_id: int
    delivery: Delivery


Output = Send | Close | Unheard | LateAnswer
"""Performed in the order given; of two with the same delay the first goes first."""


class Conversation(Protocol):
    """A server as its fronts and the virtual network see it. Pure: time comes with every call.

    HTTP takes the short way, `exchange`: one request, one delivery, nothing else, unless the request is held.
    """

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        """One HTTP request and what becomes of its answer."""

    def left(self, held_id: int, now_us: int) -> None:
        """The client of a held request has gone, or waits no longer. Harmless once it was answered."""

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        """Which certificate to show in the handshake that begins; asked once for each connection with TLS or DTLS."""

    def psk(self, session: Session, now_us: int) -> bytes | None:
        """The key of `session.psk_identity`; None when nobody has it."""

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        """The peer has shown `session.certificates` (not empty). An alert ends the handshake: nothing opens."""

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        """A connection is open, TLS included; a `Close` refuses it."""

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        """An envelope has come on the session."""

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        """The session has ended, by either side: called once for each session that was opened."""

    def next_due_us(self) -> int | None:
        """When the server does something by itself next; None while it has nothing to do."""

    def advance(self, now_us: int) -> Sequence[Output]:
        """Does what is due."""
