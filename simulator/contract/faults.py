"""A fault: what happens, to whom, when, for how long and how it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from fleetrig.simulator.contract.delivery import Ending, Framing
from fleetrig.simulator.contract.handshake import ShownCertificate
from fleetrig.simulator.contract.json_types import Json


class FaultKind(StrEnum):
    """Where in the life of a request, or of an envelope of a session, a fault acts.

    `reference_server.http_faults` performs them for requests, `reference_server.session_faults` for sessions.
    """

    OUTAGE = "outage"
    """Requests do not get through: refused, reset, closed or silence (`shows_as`). The server never sees them."""
    OVERLOAD = "overload"
    """Requests are turned away with 429 or 503, with or without `Retry-After`. Nothing is done for them."""
    MOVED = "moved"
    """Links or redirects lead to another name and path of the server, where the answers are the same."""
    REWRITE = "rewrite"
    """The answer says something else, or the server overlooks headers of the request."""
    CAPACITY = "capacity"
    """Only so many requests a second are answered, the others queue; who would queue too long is turned away."""
    LATENCY = "latency"
    """What matches comes late."""
    SLOW_STORE = "slow_store"
    """Committed, but late: the server takes so long to store it. A device that waits only so long gives up before."""
    DRIPPING = "dripping"
    """The body of an answer comes drop by drop."""
    FRAMING = "framing"
    """The same answer in another form that HTTP allows."""
    TRUNCATED_BODY = "truncated_body"
    """The body of an answer is cut: fewer bytes come than its head has promised."""
    LOST_REPLY = "lost_reply"
    """Committed by the server, but the answer does not come. The device cannot know."""
    CONNECT_REFUSED = "connect_refused"
    """MQTT: a CONNECT is answered by a CONNACK with a code that refuses it."""
    CONNECT_UNANSWERED = "connect_unanswered"
    """MQTT: a CONNECT gets no answer at all, and the connection stays open."""
    DROP_AFTER_CONNACK = "drop_after_connack"
    """MQTT: the session is accepted, and then the connection ends."""
    DUPLICATE_DELIVERY = "duplicate_delivery"
    """MQTT and CoAP: what goes out to a device comes twice."""
    WITHHELD_ACK = "withheld_ack"
    """MQTT: committed, and then no PUBACK, PUBREC, PUBCOMP, SUBACK or UNSUBACK."""
    WITHHELD_PINGRESP = "withheld_pingresp"
    """MQTT: no answer to a PINGREQ."""
    HALF_PACKET = "half_packet"
    """MQTT: the first bytes of a packet come, and then the connection ends."""
    MALFORMED_PACKET = "malformed_packet"
    """MQTT and CoAP: bytes come that are no packet."""
    COAP_RESET = "coap_reset"
    """CoAP: a RST in place of an answer."""
    LOST_DATAGRAM = "lost_datagram"
    """CoAP: a request or an answer does not arrive, nor do its first repetitions (`copies`)."""
    DUPLICATE_DATAGRAM = "duplicate_datagram"
    """CoAP: the datagram of an answer arrives twice."""
    NORTHBOUND_DOWN = "northbound_down"
    """The applications behind the server cannot be reached; what the server does then is the platform's business."""
    SERVER_CERTIFICATE = "server_certificate"
    """TLS and DTLS: connections that begin are shown another certificate than the server's own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It can act from `at_s` on (since the run or the last phase began) for `for_s` seconds.

    `hits` limits whom: a glob over the line of what came in, for instance `POST */feedback` or `CONNECT gw-*`; for
    `latency`, `rewrite` and `withheld_ack` also over the line of what goes out, for `duplicate_delivery` over that
    alone (`PUBLISH */rpc/*`), for `drop_after_connack` and `withheld_pingresp` over the session's CONNECT, for
    `server_certificate` over `HANDSHAKE https`, with the listener's name, for `northbound_down` over the line of what a
    server hands on (`EVENT site-7`). `share` is the probability that it hits what
    it could. `times` ends it after it has acted so often.
    """

    kind: FaultKind
    hits: str = "*"
    at_s: float = 0.0
    for_s: float | None = None
    share: float = 1.0
    times: int | None = None
    shows_as: Ending | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    """latency, slow_store, duplicate_delivery, drop_after_connack, northbound_down: `delay_s` · connect_refused: `code`

    half_packet: `after_bytes` · lost_datagram: `copies` · server_certificate: `certificate`

    overload: `status`, `retry_after_s` · capacity: these, `requests_per_s`, `waiting_s` (how long the queue may be),
    `sheds_after_s` (who has waited longer is dropped when its turn comes, without work and without an answer)

    truncated_body: `after_bytes` · framing: `framed`

    dripping: `bytes_per_s` · moved: `below` (a path such as `/elsewhere`), `status` (then it redirects)

    rewrite: `status` · `headers` (name -> value, null takes it away) · `set_values` (dotted path into a JSON body ->
    value, null takes it away) · `body` (a text in place of the whole one) · `respelt` (the same JSON, its members in
    alphabetical order and with blanks) · `unseen` (request headers that the server does not see). Of sessions, of a
    PUBLISH or of an answer of CoAP: `set_values`, `body`, `respelt` · `topic` (of the PUBLISH).
    """

    def number(self, name: str) -> float | None:
        """A parameter that is a number; None when it is not given."""
        value = self.parameters.get(name)
        return float(value) if isinstance(value, int | float) else None

    def text(self, name: str, default: str = "") -> str:
        value = self.parameters.get(name)
        return value if isinstance(value, str) else default

    def mapping(self, name: str) -> dict[str, Json]:
        """A parameter that is a mapping; empty when it is not given."""
        value = self.parameters.get(name)
        return value if isinstance(value, dict) else {}


BELONGS_TO: Final[Mapping[str, frozenset[FaultKind]]] = {
    "shows_as": frozenset(
        {FaultKind.OUTAGE, FaultKind.LOST_REPLY, FaultKind.DROP_AFTER_CONNACK, FaultKind.HALF_PACKET}
    ),
    "status": frozenset({FaultKind.OVERLOAD, FaultKind.CAPACITY, FaultKind.REWRITE, FaultKind.MOVED}),
    "retry_after_s": frozenset({FaultKind.OVERLOAD, FaultKind.CAPACITY}),
    "requests_per_s": frozenset({FaultKind.CAPACITY}),
    "waiting_s": frozenset({FaultKind.CAPACITY}),
    "sheds_after_s": frozenset({FaultKind.CAPACITY}),
    "delay_s": frozenset(
        {
            FaultKind.LATENCY,
            FaultKind.SLOW_STORE,
            FaultKind.DUPLICATE_DELIVERY,
            FaultKind.DROP_AFTER_CONNACK,
            FaultKind.NORTHBOUND_DOWN,
        }
    ),
    "code": frozenset({FaultKind.CONNECT_REFUSED}),
    "after_bytes": frozenset({FaultKind.TRUNCATED_BODY, FaultKind.HALF_PACKET}),
    "copies": frozenset({FaultKind.LOST_DATAGRAM}),
    "certificate": frozenset({FaultKind.SERVER_CERTIFICATE}),
    "bytes_per_s": frozenset({FaultKind.DRIPPING}),
    "framed": frozenset({FaultKind.FRAMING}),
    "below": frozenset({FaultKind.MOVED}),
    "headers": frozenset({FaultKind.REWRITE}),
    "set_values": frozenset({FaultKind.REWRITE}),
    "body": frozenset({FaultKind.REWRITE}),
    "respelt": frozenset({FaultKind.REWRITE}),
    "topic": frozenset({FaultKind.REWRITE}),
    "unseen": frozenset({FaultKind.REWRITE}),
}
"""Which parameter belongs to which kind of fault; all others belong to all."""

CAN_SHOW_AS: Final = (Ending.REFUSED, Ending.RESET, Ending.SILENCE, Ending.CLOSED)
"""What can be chosen; the other endings follow from the kind."""

CAN_BE_SHOWN: Final = tuple(one for one in ShownCertificate if one is not ShownCertificate.OWN)

CAN_BE_FRAMED: Final = (Framing.CHUNKED, Framing.CLOSE, Framing.HTTP10)

NEEDS: Final[Mapping[FaultKind, str]] = {
    FaultKind.CAPACITY: "requests_per_s",
    FaultKind.LATENCY: "delay_s",
    FaultKind.SLOW_STORE: "delay_s",
    FaultKind.DRIPPING: "bytes_per_s",
    FaultKind.FRAMING: "framed",
    FaultKind.MOVED: "below",
    FaultKind.SERVER_CERTIFICATE: "certificate",
}
"""Kinds that need this parameter."""
