"""CoAP over UDP, or over what encrypts datagrams: requests in, answers and notifications out.

An endpoint is a session from its first datagram on, until it was silent for long. What becomes of messages stands in
`coap_messages`, without I/O; here are the sockets, the sessions and one timer for all that is to happen later.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fleetrig.reference_server.coap_messages.agenda import Agenda
from fleetrig.reference_server.coap_messages.endpoint import CoapEndpoint
from fleetrig.reference_server.coap_messages.layer import Layer
from fleetrig.reference_server.coap_rules import CoapRules
from fleetrig.reference_server.fronts.datagrams import DatagramPeer
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.udp import DatagramListener
from fleetrig.reference_server.platform import coap_rules_of
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, LateAnswer, Output, Send, Unheard

MOST_ENDPOINTS: Final = 50_000
"""Of those that observe nothing, and again of those that do, who say nothing for hours: whoever was silent for the
longest time is forgotten for a new one."""

MOST_STRANGERS: Final = 1_000
"""The same for those that have only sent garbage so far."""

STRANGER_IDLE_US: Final = 10 * US_PER_S
SWEEP_EVERY_US: Final = 5 * US_PER_S


class _Held:
    """An endpoint and its peer."""

    __slots__ = ("endpoint", "heard_us", "peer", "ranked")

    def __init__(
        self, peer: DatagramPeer, endpoint: CoapEndpoint, heard_us: int, ranked: OrderedDict[int, _Held]
    ) -> None:
        self.peer = peer
        self.ranked = ranked
        """Those among which it stands."""
        self.endpoint = endpoint
        self.heard_us = heard_us


class CoapFront:
    """A `Front` and a `DatagramReceiver`."""

    def __init__(
        self, server: Server, tools: FrontTools, rules: CoapRules, monotonic_us: Callable[[], int] | None = None
    ) -> None:
        """`monotonic_us`: a clock that nobody moves, since retransmission must go on when the server's own is set; the
        event loop's, unless another is given."""
        self._server = server
        self._tools = tools
        self._rules = rules
        self._loop = asyncio.get_running_loop()
        self._now_us = monotonic_us or self._loop_us
        self._agenda = Agenda()
        self._layer = Layer(rules, tools.uniform, self._agenda)
        self._known: OrderedDict[int, _Held] = OrderedDict()
        self._observers: OrderedDict[int, _Held] = OrderedDict()
        self._strangers: OrderedDict[int, _Held] = OrderedDict()
        """By session, the one that was silent for the longest time first."""
        self._listeners: list[DatagramListener] = []
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None

    # Front

    async def listen(self, listener: DatagramListener) -> None:
        await listener.open(self, self._server, self._tools)
        self._listeners.append(listener)
        if not self._is_open:
            self._is_open = True
            self._sweep(self._now_us())
            self._arm()

    async def close(self) -> None:
        self._end_all(Ending.CLOSED)
        for listener in self._listeners:
            listener.close()
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def perform(self, outputs: Sequence[Output]) -> None:
        ours = [output for output in outputs if self._held(output.session) is not None]
        for output in ours:
            self._order(output)
        if ours:
            self._arm()

    def refuse(self) -> None:
        self._end_all(Ending.REFUSED)
        for listener in self._listeners:
            listener.refuse()

    async def accept_again(self) -> None:
        for listener in self._listeners:
            await listener.accept_again()

    # DatagramReceiver

    def peer_opened(self, peer: DatagramPeer) -> None:
        session = peer.session
        tell = partial(self._tell, session.id)
        ranked = self._known if session.tls else self._strangers
        ranked[session.id] = _Held(peer, CoapEndpoint(session, self._layer, peer.send, tell), self._now_us(), ranked)
        self._ask_server(None, lambda: self._server.opened(session, self._tools.clock.now_us()))
        self._make_room()

    def received(self, peer: DatagramPeer, data: bytes) -> None:
        held = self._held(peer.session.id)
        if held is None:
            return
        held.heard_us = self._now_us()
        try:
            held.endpoint.received(data, held.heard_us)
        except Exception as bug:  # noqa: BLE001 (no datagram may end the server)
            self._tools.on_bug(None, bug)
        self._rank(held)
        self._arm()

    def peer_closed(self, peer: DatagramPeer) -> None:
        held = self._held(peer.session.id)
        if held is not None:
            self._forget(held, Ending.SILENCE)
            self._arm()

    # Sessions

    def _held(self, session: int) -> _Held | None:
        return self._known.get(session) or self._observers.get(session) or self._strangers.get(session)

    def _rank(self, held: _Held) -> None:
        """Puts it behind all others of its kind, among the known from its first request on."""
        session = held.peer.session.id
        if session not in held.ranked:
            return  # it has ended with what it said
        before, held.ranked = held.ranked, self._rank_of(held)
        del before[session]
        held.ranked[session] = held
        if held.ranked is not before:
            self._make_room()

    def _rank_of(self, held: _Held) -> OrderedDict[int, _Held]:
        if held.ranked is self._strangers and not held.endpoint.has_asked:
            return self._strangers
        return self._observers if held.endpoint.observes else self._known

    def _make_room(self) -> None:
        for ranked, most in (
            (self._strangers, MOST_STRANGERS),
            (self._known, MOST_ENDPOINTS),
            (self._observers, MOST_ENDPOINTS),
        ):
            if len(ranked) > most:
                self._end(next(iter(ranked.values())), Ending.SILENCE)

    def _end(self, held: _Held, ending: Ending) -> None:
        self._forget(held, ending)
        held.peer.close(ending)

    def _forget(self, held: _Held, ending: Ending) -> None:
        session = held.peer.session
        held.ranked.pop(session.id, None)
        held.endpoint.close(ending)
        self._ask_server(None, lambda: self._server.closed(session, self._tools.clock.now_us()))

    def _end_all(self, ending: Ending) -> None:
        for held in [*self._strangers.values(), *self._known.values(), *self._observers.values()]:
            self._end(held, ending)

    def _sweep(self, now_us: int) -> None:
        """Forgets what has been silent for too long. Peers that have shaken hands are for their carrier to forget."""
        self._layer.expire(now_us)
        self._end_idle(self._strangers, now_us, STRANGER_IDLE_US)
        self._end_idle(self._known, now_us, self._rules.idle_us)
        self._end_idle(self._observers, now_us, self._rules.idle_us)
        self._agenda.at(now_us + SWEEP_EVERY_US, self._sweep)

    def _end_idle(self, ranked: OrderedDict[int, _Held], now_us: int, idle_us: int) -> None:
        silent = []
        for held in ranked.values():
            if held.heard_us + idle_us > now_us:
                break
            if held.peer.session.tls:
                continue
            may_us = self._rules.observing_idle_us if held.endpoint.observes else idle_us
            if held.heard_us + may_us <= now_us:
                silent.append(held)
        for held in silent:
            self._end(held, Ending.SILENCE)

    # The server

    def _tell(self, session: int, envelope: Envelope) -> None:
        held = self._held(session)
        if held is None:
            return
        peer = held.peer
        went_well = self._ask_server(
            envelope, lambda: self._server.receive(peer.session, envelope, self._tools.clock.now_us())
        )
        if not went_well and isinstance(envelope, CoapRequest):
            held.endpoint.perform(Send(session, CoapResponse("5.00", token=envelope.token)), self._now_us())

    def _ask_server(self, envelope: Envelope | None, ask: Callable[[], Sequence[Output]]) -> bool:
        """Performs what the server says. False after a bug or a failure of the machine, which is noted."""
        try:
            self._tools.perform(ask())
        except Exception as bug:  # noqa: BLE001 (it must not end the server)
            self._tools.on_bug(envelope, bug)
            return False
        return True

    def _order(self, output: Output) -> None:
        if isinstance(output, Unheard | LateAnswer) or not output.delay_us:
            self._perform(output, self._now_us())
        else:
            self._agenda.at(self._now_us() + output.delay_us, partial(self._perform, output))

    def _perform(self, output: Output, now_us: int) -> None:
        held = self._held(output.session)
        if held is None:
            return
        try:
            match output:
                case Send():
                    held.endpoint.perform(output, now_us)
                case Unheard(copies=copies):
                    held.endpoint.unheard(copies)
                case Close(ending=ending):
                    self._end(held, ending)
        except Exception as bug:  # noqa: BLE001 (a platform says what cannot be sent; others go on)
            self._tools.on_bug(output.envelope if isinstance(output, Send) else None, bug)

    # Time

    def run_due(self) -> None:
        """Lets happen what is due; the loop calls it when the first is."""
        self._timer = None
        try:
            self._agenda.run(self._now_us() + 1)  # the loop rounds down
        except Exception as bug:  # noqa: BLE001 (what else is due must still happen)
            self._tools.on_bug(None, bug)
        self._arm()

    def _loop_us(self) -> int:
        return int(self._loop.time() * US_PER_S)

    def _arm(self) -> None:
        """One timer, for what is due first; none before and after the front is open."""
        if not self._is_open:
            return
        due_us = self._agenda.next_us()
        due_s = None if due_us is None else due_us / US_PER_S
        if self._timer is not None:
            if due_s is not None and self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = None if due_s is None else self._loop.call_at(due_s, self.run_due)


def coap_front(server: Server, tools: FrontTools) -> CoapFront:
    """A front for a platform's CoAP, in the event loop that runs."""
    return CoapFront(server, tools, coap_rules_of(server.platform))
