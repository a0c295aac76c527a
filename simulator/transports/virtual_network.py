"""The network of virtual time: connections between simulated devices and a server in the same process.

A server is a `Conversation`; what it answers is carried by events of the driver (`later`). HTTP takes the short way,
one request and one delivery. What the server does by itself happens in the microsecond in which it is due, with or
without requests.

A request reaches the server at once; all that the server sends because of it takes the whole round trip. What it sends
by itself reaches the device at once. Envelopes on a connection keep their order, unless they have a delay of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fleetrig.simulator.contract.clock import Clock, to_s
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import (
    Close,
    Conversation,
    Envelope,
    LateAnswer,
    Output,
    Send,
    Unheard,
    WireForm,
)
from fleetrig.simulator.contract.handshake import TlsAlert
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import TlsCredential
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.effects import Ask, Await, Connect, Done, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.coap_under_way import CoapUnderWay
from fleetrig.simulator.transports.inbox import Inbox
from fleetrig.simulator.transports.virtual_datagrams import repeated_after_us
from fleetrig.simulator.transports.virtual_handshake import handshake_ends, session_of
from fleetrig.simulator.transports.virtual_http import ROUND_TRIP_US

AGAIN_AFTER_US: Final = 20_000
"""A server that is due again at once, after all that was due has happened, must not stop time."""

Later = Callable[[int, Callable[[], None]], None]
"""`later(after_us, call)`: calls after so many microseconds; of two at the same time the first ordered goes first."""


class VirtualNetwork:
    """All connections of a driver to its server."""

    def __init__(self, server: Conversation, clock: Clock, later: Later, *, round_trip_us: int = ROUND_TRIP_US) -> None:
        self._server = server
        self._clock = clock
        self._later = later
        self.round_trip_us = round_trip_us
        self._open: dict[int, VirtualLink] = {}
        """The connections that the server knows, by session."""
        self._held: dict[int, Callable[[Delivery], None]] = {}
        """HTTP requests that wait for their answer: who is told."""
        self._last_session = 0
        self._due_us: int | None = None
        self._order = 0
        self.look_ahead()

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        """One HTTP request: a `HttpHandler` for `VirtualHttp`."""
        if self._due_us is not None and self._due_us <= now_us:
            self._advance(now_us)
        if session.tls and handshake_ends(self._server, session, now_us):
            return Delivery(None, Ending.TLS)
        delivery = self._server.exchange(request, session, now_us)
        if self._server.next_due_us() != self._due_us:
            self._look_ahead(now_us)
        return delivery

    def await_answer(self, held_id: int, answered: Callable[[Delivery], None]) -> None:
        """`answered` is called in the microsecond in which the server answers a held request."""
        self._held[held_id] = answered

    def leave(self, held_id: int) -> None:
        """Nobody waits for it any more. Harmless once it was answered."""
        if self._held.pop(held_id, None) is not None:
            now_us = self._before_call()
            self._server.left(held_id, now_us)
            self._look_ahead(now_us)

    def open(self, link: VirtualLink) -> None:
        """Opens a session for the link, as the server sees it."""
        now_us = self._before_call()
        self._last_session += 1
        link.forgotten_us = None
        link.session = session_of(link.where, self._last_session, link.tls_credential)
        self._open[link.session.id] = link
        if link.session.tls and not self._shakes_hands(link, now_us):
            return
        self._perform(self._server.opened(link.session, now_us), self.round_trip_us)
        self._look_ahead(now_us)

    def _shakes_hands(self, link: VirtualLink, now_us: int) -> bool:
        refused = handshake_ends(self._server, link.session, now_us, link.tls_credential)
        if not refused:
            return True
        del self._open[link.session.id]
        if refused is not TlsAlert.SILENCE or link.session.listener != "coaps":
            self.after_round_trip(partial(link.end, "tls"))
        return False

    def send(self, link: VirtualLink, envelope: Envelope, lost: int = 0) -> None:
        """Sends an envelope to the server, unless it has ended the connection already; it was `lost` so often."""
        now_us = self._before_call()
        if link.is_forgotten_endpoint:
            self.open(link)
        if link.session.id in self._open:
            outputs = self._server.receive(link.session, envelope, now_us)
            for unheard in (output for output in outputs if isinstance(output, Unheard)):
                self._repeat(link, envelope, lost, unheard.copies)
            self._perform(outputs, self.round_trip_us)
            self._look_ahead(now_us)

    def _repeat(self, link: VirtualLink, envelope: Envelope, lost: int, copies: int) -> None:
        """A request was lost so often, and now again: it is sent once more if it is confirmable."""
        if not isinstance(envelope, CoapRequest) or not envelope.confirmable:
            return
        before_us, after_us = repeated_after_us(lost), repeated_after_us(lost + copies)
        if before_us is not None and after_us is not None:
            self._later(after_us - before_us, partial(self._send_again, link, envelope, lost + copies))

    def _send_again(self, link: VirtualLink, request: CoapRequest, lost: int) -> None:
        """Unless the device has given it up meanwhile."""
        if not link.ended and link.coap.is_repeated(request):
            self.send(link, request, lost)

    def close(self, link: VirtualLink) -> None:
        """The device ends the connection, or loses its power."""
        now_us = self._before_call()
        if self._open.pop(link.session.id, None) is not None:
            self._perform(self._server.closed(link.session, now_us), self.round_trip_us)
            self._look_ahead(now_us)

    def after_round_trip(self, call: Callable[[], None]) -> None:
        self._later(self.round_trip_us, call)

    def now_us(self) -> int:
        return self._clock.now_us()

    def _before_call(self) -> int:
        """Lets the server do what is due before anything else reaches it. Returns the time."""
        now_us = self._clock.now_us()
        if self._due_us is not None and self._due_us <= now_us:
            self._advance(now_us)
        return now_us

    def look_ahead(self) -> None:
        """Call it when something other than a call over the network may have changed when the server acts next."""
        self._look_ahead(self._clock.now_us())

    def _look_ahead(self, now_us: int, at_least_after_us: int = 0) -> None:
        """Schedules when the server acts next by itself, if that has changed."""
        due_us = self._server.next_due_us()
        if due_us != self._due_us:
            self._due_us = due_us
            self._order += 1
            if due_us is not None:
                self._later(max(at_least_after_us, due_us - now_us), partial(self._act, self._order))

    def _act(self, order: int) -> None:
        """Does nothing if another time was scheduled since."""
        if order == self._order:
            self._advance(self._clock.now_us())

    def _advance(self, now_us: int) -> None:
        self._perform(self._server.advance(now_us), 0)
        self._due_us = None
        self._order += 1  # what was ordered has happened
        due_us = self._server.next_due_us()
        self._look_ahead(now_us, AGAIN_AFTER_US if due_us is not None and due_us <= now_us else 0)

    def _perform(self, outputs: Sequence[Output], latency_us: int) -> None:
        for output in outputs:
            if isinstance(output, LateAnswer):
                if (answered := self._held.pop(output.held_id, None)) is not None:
                    answered(output.delivery)
                continue
            link = self._open.get(output.session)
            if link is None:
                continue
            match output:
                case Send():
                    self._send(link, output, latency_us)
                case Close(_, ending, 0):
                    self._end(link, ending, latency_us)
                case Close(_, ending, delay_us):
                    self._later(delay_us, partial(self._end, link, ending, latency_us))

    def _send(self, link: VirtualLink, output: Send, latency_us: int) -> None:
        envelope, delay_us = output.envelope, output.delay_us
        sent_us = self._clock.now_us() + delay_us
        is_coap = isinstance(envelope, CoapResponse | CoapReset)
        match output.form:
            case WireForm.HALF:
                return  # nothing can be made of it, and the end of the connection comes by itself
            case WireForm.MALFORMED if not is_coap:
                self._carry(link, latency_us, delay_us, partial(link.end, "malformed"))
                return
            case WireForm.LOST | WireForm.MALFORMED:  # a malformed datagram is as good as lost
                late_us = repeated_after_us(output.copies) if link.coap.comes_again(envelope) else None
                if late_us is None:
                    return
                delay_us += late_us
        self._carry(link, latency_us, delay_us, partial(link.arrive, envelope, sent_us))

    def _end(self, link: VirtualLink, ending: Ending, latency_us: int) -> None:
        """The server ends a connection: it forgets it now, and the device sees that after everything sent before."""
        if self._open.pop(link.session.id, None) is None:
            return
        now_us = self._clock.now_us()
        link.forgotten_us = now_us
        self._perform(self._server.closed(link.session, now_us), latency_us)
        is_udp, is_dtls = link.session.listener == "coap", link.session.listener == "coaps"
        if (is_udp and ending in (Ending.CLOSED, Ending.RESET)) or (is_dtls and ending is Ending.RESET):
            self._end_endpoint(link, ending, latency_us)
        elif ending is not Ending.SILENCE:
            self._carry(link, latency_us, 0, partial(link.end, ending.value))

    def _end_endpoint(self, link: VirtualLink, ending: Ending, latency_us: int) -> None:
        """UDP has no end, and DTLS only its goodbye: the device asks again and again, unless its request is reset."""
        for request in link.coap.unacknowledged():
            if ending is Ending.RESET:
                self._carry(link, latency_us, 0, partial(link.arrive, CoapReset(request.token), link.forgotten_us or 0))
            else:
                self._repeat(link, request, 0, 1)

    def _carry(self, link: VirtualLink, latency_us: int, delay_us: int, arrive: Callable[[], None]) -> None:
        """To the device. What has no delay of its own keeps its place behind what was sent before it."""
        now_us = self._clock.now_us()
        at_us = now_us + latency_us + delay_us
        if delay_us == 0:
            at_us = link.latest_us = max(at_us, link.latest_us)
        self._later(at_us - now_us, arrive)


class VirtualLink:
    """A device's connection in virtual time. `woken` gets outcomes that take time, `dropped` what the inbox lost."""

    __slots__ = ("_asked", "_began_us", "_dropped", "_inbox", "_network", "_waiting", "_woken", "coap", "ended",
                 "forgotten_us", "latest_us", "session", "tls_credential", "where")  # fmt: skip

    def __init__(
        self,
        network: VirtualNetwork,
        where: str,
        woken: Callable[[Outcome], None],
        dropped: Callable[[Envelope], None],
        tls_credential: TlsCredential | None = None,
    ) -> None:
        """`tls_credential`: what the device shows where it connects over TLS or DTLS."""
        self.tls_credential = tls_credential
        self._network = network
        self._woken = woken
        self._dropped = dropped
        self._inbox = Inbox()
        self._began_us = 0
        self._waiting: Connect | Ask | Await | None = None
        self._asked: Envelope | None = None
        self.where = where
        self.coap = CoapUnderWay()
        self.session = Session()
        self.ended = ""
        """Why the device cannot use it any more, as `NoReply` says it; empty while it can."""
        self.forgotten_us: int | None = None
        """When the server ended it."""
        self.latest_us = 0
        """When the latest of what is under way to the device arrives."""
        network.open(self)

    def perform(self, effect: Connect | Ask | Tell | Await) -> Outcome | None:
        """The outcome; None when that takes time: `woken` is called with it, unless the device gives up before."""
        if isinstance(effect, Await) and (found := self._inbox.want_fitting(effect.patterns)) is not None:
            return Reply(found, 0.0)
        if self.ended:
            return NoReply(self.ended, 0.0)
        if isinstance(effect, Tell):
            self._say(self._inbox.numbered(effect.envelope))
            return Done()
        self._began_us, self._waiting = self._network.now_us(), effect
        match effect:
            case Connect(envelope=None):
                self._network.after_round_trip(self._stands)
            case Connect(envelope=request) | Ask(request=request):
                assert request is not None
                numbered = self._inbox.numbered(request)
                self._inbox.want_answer(numbered)
                self._asked = numbered
                self._say(numbered)
        return None

    @property
    def is_forgotten_endpoint(self) -> bool:
        """The server has forgotten an address that sends something again: to it, that is a new session."""
        return self.session.listener == "coap" and self.forgotten_us is not None and not self.ended

    def give_up(self) -> None:
        """The device waits no longer. A connection that was not opened in time is closed."""
        if isinstance(self._waiting, Connect):
            self.close()
        if isinstance(self._waiting, Ask) and isinstance(self._asked, CoapRequest):
            self.coap.give_up(self._asked.token)
        self._waiting = None
        self._inbox.want_nothing()

    def close(self) -> None:
        """The device closes it: nothing that is under way arrives."""
        self.ended = self.ended or "closed"
        self._network.close(self)

    def arrive(self, envelope: Envelope, sent_us: int) -> None:
        """An envelope arrives from the server; ignored if it was sent after the server ended the connection."""
        if self.ended or (self.forgotten_us is not None and sent_us > self.forgotten_us):
            return
        if not self.coap.takes(envelope, self._network.now_us()):
            return
        if self._inbox.is_wanted(envelope):
            self._wake(lambda after_s: Reply(envelope, after_s))
        elif (dropped := self._inbox.keep(envelope)) is not None:
            self._dropped(dropped)

    def end(self, why: str) -> None:
        """The server has ended it, and now the device sees that."""
        if self.ended:
            return
        self.ended = why
        if self._waiting is not None:
            self._wake(lambda after_s: NoReply(why, after_s))

    def _say(self, envelope: Envelope) -> None:
        self.coap.sent(envelope)
        self._network.send(self, envelope)

    def _stands(self) -> None:
        if not self.ended and isinstance(self._waiting, Connect):
            self._wake(Done)

    def _wake(self, outcome: Callable[[float], Outcome]) -> None:
        self._waiting = None
        self._woken(outcome(to_s(self._network.now_us() - self._began_us)))
