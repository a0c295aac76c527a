"""What faults do to sessions: which hits what comes in and what goes out, and what becomes of it. Pure.

What `hits` is matched against, a glob over the line of an envelope (`CONNECT gw-7`, `PUBLISH a/b`, `POST coap:/a`):

- `outage`: what came in; of what goes out unasked, its own line. One of everything that shows as refused keeps sessions
  from opening, and ends those that are open when it begins.
- `overload` and `coap_reset` (CoAP), `connect_refused`, `connect_unanswered`, `lost_reply`: what came in.
- `slow_store`: what came in. `capacity` (`capacity.py`): what came in, but for pings and acknowledgements.
- `latency`, `withheld_ack`, `half_packet`, `malformed_packet`: what goes out, or what came in and is answered so.
- `rewrite`: a PUBLISH or an answer of CoAP that goes out, or what came in and is answered so.
- `lost_datagram` (CoAP): a request that came in, or an answer that goes out.
- `duplicate_delivery`, `duplicate_datagram` (CoAP): what goes out.
- `drop_after_connack`, `withheld_pingresp`: the CONNECT with which the session began.
- `server_certificate`: `HANDSHAKE mqtts`, with the listener's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.fault_plan import FaultPlan, refuses_all, shows_as
from fleetrig.reference_server.session_fault_outputs import blocked_reply, distort, lost_reply_outputs, outage_outputs
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttUnsuback,
)

DISTORTING: Final = (
    FaultKind.WITHHELD_ACK,
    FaultKind.WITHHELD_PINGRESP,
    FaultKind.REWRITE,
    FaultKind.DUPLICATE_DELIVERY,
    FaultKind.LATENCY,
    FaultKind.MALFORMED_PACKET,
    FaultKind.LOST_DATAGRAM,
    FaultKind.DUPLICATE_DATAGRAM,
    FaultKind.HALF_PACKET,
    FaultKind.DROP_AFTER_CONNACK,
)
"""The faults that distort an output, in the order in which they do so."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A fault that keeps something from the platform, and what the peer gets instead."""

    fault: Fault
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True, slots=True)
class Distorted:
    """An output of the platform, the faults that hit it, and what is sent in its place."""

    output: Output
    faults: tuple[Fault, ...]
    becomes: tuple[Output, ...]


class SessionFaults:
    """The plan of faults as sessions meet it. Forgets a session when it is `closed`."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._connects: dict[int, str] = {}
        """Session -> the line of its CONNECT."""
        self._muted: dict[int, Fault] = {}
        """Session that gets no answer any more -> the fault that is the reason."""
        self._begun: set[int] = set()
        """Ids of the outages of everything that have ended the sessions that were open."""

    def closed(self, session: int) -> None:
        self._connects.pop(session, None)
        self._muted.pop(session, None)

    def next_outage_us(self) -> int | None:
        """When the next outage that refuses everything will end the open sessions."""
        due = (entry.from_us for entry in self._plan.scheduled() if self._is_to_begin(entry.id, entry.fault))
        return min(due, default=None)

    def begun_outage(self, now_us: int) -> Fault | None:
        """An outage that refuses everything and has begun since the last call."""
        begun = [
            entry for entry in self._plan.scheduled()
            if self._is_to_begin(entry.id, entry.fault) and entry.from_us <= now_us
        ]  # fmt: skip
        self._begun |= {entry.id for entry in begun}
        return next((entry.fault for entry in begun if entry.is_on(now_us)), None)

    def shown_certificate(self, listener: str, now_us: int) -> Fault | None:
        """The fault that puts another certificate in place of the server's own."""
        lines = (f"HANDSHAKE {listener}",)
        return self._plan.trigger(lambda fault: fault.kind is FaultKind.SERVER_CERTIFICATE, lines, now_us)

    def opening(self, session: int, now_us: int) -> Blocked | None:
        """An outage that refuses the connection itself."""
        fault = self._plan.trigger(_refuses_opening, ("",), now_us)
        return None if fault is None else Blocked(fault, (Close(session, Ending.REFUSED),))

    def blocking(self, session: int, envelope: Envelope, now_us: int) -> Blocked | None:
        """The fault that keeps an envelope from the platform, if there is one."""
        if isinstance(envelope, MqttConnect):
            self._connects[session] = envelope.line
        if (muting := self._muted.get(session)) is not None:
            return Blocked(muting)
        if self._plan.is_idle:
            return None
        fault = self._plan.trigger(lambda fault: _blocks(fault, envelope), (envelope.line,), now_us)
        if fault is None:
            return None
        if fault.kind is FaultKind.CONNECT_UNANSWERED:
            self._muted[session] = fault
        return Blocked(fault, blocked_reply(fault, session, envelope))

    def slow_store(self, envelope: Envelope, now_us: int) -> Fault | None:
        """The fault that makes what was asked take long."""
        return self._plan.trigger(lambda fault: fault.kind is FaultKind.SLOW_STORE, (envelope.line,), now_us)

    def distorting(
        self, outputs: Sequence[Output], session: int, came: Envelope | None, now_us: int
    ) -> list[Distorted]:
        """What becomes of the platform's outputs in answer to `came`, or unasked (session 0)."""
        if self._plan.is_idle:
            return [Distorted(output, (), (output,)) for output in outputs]
        answers = [output for output in outputs if came is not None and _is_answer(output, session)]
        lost = self._plan.trigger(_is_lost_reply, (came.line,), now_us) if came is not None and answers else None
        return [
            Distorted(output, (lost,), lost_reply_outputs(lost, output) if output is answers[0] else ())
            if lost is not None and isinstance(output, Send) and _is_answer(output, session)
            else self._distorted(output, session, came, now_us)
            for output in outputs
        ]

    def _distorted(self, output: Output, session: int, came: Envelope | None, now_us: int) -> Distorted:
        if not isinstance(output, Send):
            return Distorted(output, (), (output,))
        asked = came.line if came is not None and output.session == session else None
        if asked is None and (outage := self._plan.trigger(_is_outage, (output.envelope.line,), now_us)) is not None:
            return Distorted(output, (outage,), outage_outputs(outage, output.session))
        faults: list[Fault] = []
        becomes: tuple[Send | Close, ...] = (output,)
        for kind in DISTORTING:
            lines = self._lines(kind, output, asked)
            if not lines or not becomes:
                continue
            fault = self._plan.trigger(lambda fault, kind=kind: fault.kind is kind, lines, now_us)  # type: ignore[misc]
            if fault is not None:
                faults.append(fault)
                becomes = distort(fault, output, becomes)
        return Distorted(output, tuple(faults), becomes)

    def _lines(self, kind: FaultKind, output: Send, asked: str | None) -> tuple[str, ...]:
        """What the fault's glob is matched against; nothing where it cannot hit."""
        own = output.envelope.line
        begun = self._connects.get(output.session, "")
        match kind, output.envelope:
            case ((FaultKind.LATENCY | FaultKind.MALFORMED_PACKET), _):
                return (own,) if asked is None else (own, asked)
            case FaultKind.REWRITE, MqttPublish() | CoapResponse():
                return (own,) if asked is None else (own, asked)
            case FaultKind.HALF_PACKET, packet if not isinstance(packet, CoapResponse | CoapReset):
                return (own,) if asked is None else (own, asked)
            case FaultKind.WITHHELD_ACK, MqttPublishAck() | MqttSuback() | MqttUnsuback():
                return (own,) if asked is None else (own, asked)
            case ((FaultKind.LOST_DATAGRAM | FaultKind.DUPLICATE_DATAGRAM), CoapResponse()):
                return (own,)
            case FaultKind.WITHHELD_PINGRESP, MqttPingresp():
                return (begun,)
            case FaultKind.DUPLICATE_DELIVERY, MqttPublish() | CoapResponse():
                return (own,)
            case FaultKind.DROP_AFTER_CONNACK, MqttConnack(code=0):
                return (begun,)
            case _:
                return ()

    def _is_to_begin(self, entry_id: int, fault: Fault) -> bool:
        return entry_id not in self._begun and refuses_all(fault)


def _is_outage(fault: Fault) -> bool:
    return fault.kind is FaultKind.OUTAGE and not _refuses_opening(fault)


def _refuses_opening(fault: Fault) -> bool:
    """Its share of connections is drawn when they open, and not again for each envelope."""
    return fault.kind is FaultKind.OUTAGE and shows_as(fault) is Ending.REFUSED and fault.hits == "*"


def _blocks(fault: Fault, envelope: Envelope) -> bool:
    match fault.kind, envelope:
        case ((FaultKind.CONNECT_REFUSED | FaultKind.CONNECT_UNANSWERED), MqttConnect()):
            return True
        case ((FaultKind.OVERLOAD | FaultKind.COAP_RESET | FaultKind.LOST_DATAGRAM), CoapRequest()):
            return True
        case _:
            return _is_outage(fault)


def _is_answer(output: Output, session: int) -> bool:
    return isinstance(output, Send) and output.session == session


def _is_lost_reply(fault: Fault) -> bool:
    return fault.kind is FaultKind.LOST_REPLY
