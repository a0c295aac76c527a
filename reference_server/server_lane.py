"""Writes the server lane of the trace: what came, what the platform answered, and what faults made of the answer.

HTTP, one request: `received`, a `fault` for each fault that hits it, `answered` or `refused` with the platform's
answer, and `delivered` when faults have changed that. Of a request that is held all but `received` comes later.
Between `received` and the answer there is a `step` for each that the platform took and tells of.

A session: `opened`; then the same for each envelope, but an answer can consist of several envelopes or of none;
`pushed` for what goes out unasked or to another session; `closed`, whichever side ended it. `advanced` is a change that
happens by itself and is sent to no session. What goes out later than it is told says by how much (`took_us`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fleetrig.reference_server.fault_plan import describe
from fleetrig.reference_server.northbound import Held
from fleetrig.reference_server.platform import HandshakeAnswer, HttpAnswer, Reaction
from fleetrig.reference_server.session_faults import Distorted
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, LateAnswer, Output, Send, Unheard, WireForm
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace

BY_THE_PEER: Final = "by the peer"
"""Why a session is closed that the server has not ended."""
HANDSHAKE: Final = "handshake"
"""The name of a refusal before there is a session."""


class ServerLane:
    """Call it only while the trace is wanted."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._devices: dict[int, str] = {}
        """The device of each open session; empty until the platform has named it."""
        self._ends_us: dict[int, int] = {}
        """Open sessions that the server has closed, or will: when."""

    def received(self, envelope: Envelope, session: Session, device: str, now_us: int) -> None:
        peer = session.peer
        self._trace.emit(now_us, Lane.SERVER, "received", device, envelope=envelope, reason=peer, session=session.id)

    def fault(self, envelope: Envelope | None, fault: Fault, session: int, now_us: int) -> None:
        what = describe(fault)
        self._trace.emit(
            now_us, Lane.SERVER, "fault", envelope=envelope, fault=fault.kind, reason=what, session=session
        )

    def steps(self, steps: Sequence[str], device: str, session: int, now_us: int) -> None:
        for step in steps:
            self._trace.emit(now_us, Lane.SERVER, "step", device, name=step, session=session)

    def held_back(self, held: Held, now_us: int) -> None:
        """A message that does not get to applications. It belongs to no session: no answer is distorted by it."""
        reason = f"{held.line}: {describe(held.fault)}"
        self._trace.emit(now_us, Lane.SERVER, "fault", fault=held.fault.kind, reason=reason)

    # HTTP

    def exchanged(self, request: HttpRequest, answer: HttpAnswer, session: Session, now_us: int) -> None:
        """A request and its answer, which nothing distorts."""
        device, of = answer.device, session.id
        if answer.steps:
            self.received(request, session, device, now_us)
            self.answered(answer, of, now_us)
            return
        emit, kind = self._trace.emit, "refused" if answer.reason else "answered"
        emit(now_us, Lane.SERVER, "received", device, envelope=request, reason=session.peer, session=of)
        emit(
            now_us, Lane.SERVER, kind, device, envelope=answer.response, reason=answer.reason, name=answer.changed,
            session=of,
        )  # fmt: skip

    def answered(self, answer: HttpAnswer, session: int, now_us: int) -> None:
        if answer.steps:
            self.steps(answer.steps, answer.device, session, now_us)
        self._trace.emit(
            now_us,
            Lane.SERVER,
            "refused" if answer.reason else "answered",
            answer.device,
            envelope=answer.response,
            reason=answer.reason,
            name=answer.changed,
            session=session,
        )

    def delivered(self, delivery: Delivery, device: str, session: int, now_us: int) -> None:
        """The reason says how the answer ends when it does not arrive whole."""
        ending = "" if delivery.ending is Ending.WHOLE else str(delivery.ending)
        self._delivered(delivery.response, ending, device, session, now_us)

    # Sessions

    def shook_hands(self, answer: HandshakeAnswer, session: Session, now_us: int) -> None:
        """What came of certificates or a pre-shared key; of a refusal the name says how the peer hears it."""
        self.steps(answer.steps, answer.device, session.id, now_us)
        if not (answer.reason or answer.changed):
            return
        if answer.reason:
            how = HANDSHAKE if answer.alert is None else f"{HANDSHAKE}: {answer.alert}"
            what, name = "refused", how
        else:
            what, name = "answered", answer.changed
        self._trace.emit(now_us, Lane.SERVER, what, answer.device, reason=answer.reason, name=name, session=session.id)

    def opened(self, session: Session, now_us: int) -> None:
        self._devices[session.id] = ""
        self._trace.emit(now_us, Lane.SERVER, "opened", reason=session.peer, name=session.listener, session=session.id)

    def closed(self, session: int, now_us: int) -> None:
        """The connection is gone."""
        device = self._devices.pop(session, "")
        ends_us = self._ends_us.pop(session, None)
        if ends_us is None or now_us < ends_us:
            self._trace.emit(now_us, Lane.SERVER, "closed", device, reason=BY_THE_PEER, session=session)

    def reaction(self, reaction: Reaction, session: int, now_us: int, distorted: Sequence[Distorted] = ()) -> None:
        """What a platform says to an envelope of that session, or unasked, where there is no session (0).

        `distorted`: what faults have made of its outputs, one by one; left out when there are none.
        """
        if reaction.device and session in self._devices:
            self._devices[session] = reaction.device
        if reaction.steps:
            self.steps(reaction.steps, reaction.device, session, now_us)
        is_first = _has_answer(reaction.outputs, session)
        if not is_first:
            self._without_answer(reaction, session, now_us)
        for at, output in enumerate(reaction.outputs):
            faults = distorted[at].faults if distorted else ()
            for fault in faults:
                self.fault(_envelope_of(output), fault, output.session, now_us)
            self._output(output, reaction, session if is_first else 0, session, now_us)
            is_first = is_first and output.session != session
            if faults:
                self.write_distorted(distorted[at].becomes, output.session, now_us)

    def write_distorted(self, outputs: Sequence[Output], session: int, now_us: int) -> None:
        """What is sent in place of an answer because of faults; nothing at all is silence."""
        device = self._devices.get(session, "")
        sent = [output for output in outputs if isinstance(output, Send)]
        closes = [output for output in outputs if isinstance(output, Close)]
        for output in sent:
            how = "" if output.form is WireForm.WHOLE else str(output.form)
            self._delivered(output.envelope, how, device, session, now_us, output.delay_us)
        if not sent:
            self._delivered(None, closes[0].ending if closes else Ending.SILENCE, device, session, now_us)
        for close in closes:
            self._closed(close, now_us)

    def _without_answer(self, reaction: Reaction, session: int, now_us: int) -> None:
        if not (reaction.reason or reaction.changed):
            return
        kind = "refused" if reaction.reason else "answered" if session else "advanced"
        why, what = reaction.reason, reaction.changed
        self._trace.emit(now_us, Lane.SERVER, kind, reaction.device, reason=why, name=what, session=session)

    def _output(self, output: Output, reaction: Reaction, first_of: int, session: int, now_us: int) -> None:
        match output:
            case Send():
                self._sent(output, reaction, first_of, session, now_us)
            case Close():
                self._closed(output, now_us)
            case Unheard() | LateAnswer():
                pass  # a fault's doing, and told as one; of a held request, and told where that is kept

    def _sent(self, send: Send, reaction: Reaction, first_of: int, session: int, now_us: int) -> None:
        to, envelope = send.session, send.envelope
        if to == first_of and first_of:
            kind = "refused" if reaction.reason else "answered"
            self._trace.emit(
                now_us, Lane.SERVER, kind, reaction.device, envelope=envelope, reason=reaction.reason,
                name=reaction.changed, session=to, took_us=send.delay_us,
            )  # fmt: skip
        else:
            kind = "answered" if to == session else "pushed"
            device = self._devices.get(to) or ("" if session else reaction.device)
            self._trace.emit(now_us, Lane.SERVER, kind, device, envelope=envelope, session=to, took_us=send.delay_us)

    def _delivered(
        self, envelope: Envelope | None, ending: str, device: str, session: int, now_us: int, late_us: int = 0
    ) -> None:
        self._trace.emit(
            now_us, Lane.SERVER, "delivered", device, envelope=envelope, reason=ending, session=session, took_us=late_us
        )

    def _closed(self, close: Close, now_us: int) -> None:
        if close.session in self._devices:
            ends_us = now_us + close.delay_us
            self._ends_us[close.session] = min(ends_us, self._ends_us.get(close.session, ends_us))
        device = self._devices.get(close.session, "")
        how = f"{close.ending} in {to_s(close.delay_us):g} s" if close.delay_us else close.ending
        self._trace.emit(now_us, Lane.SERVER, "closed", device, reason=how, session=close.session)


def _has_answer(outputs: Sequence[Output], session: int) -> bool:
    for output in outputs:  # noqa: SIM110 (this is run for every envelope, and a generator costs twice as much)
        if isinstance(output, Send) and output.session == session:
            return True
    return False


def _envelope_of(output: Output) -> Envelope | None:
    return output.envelope if isinstance(output, Send) else None
