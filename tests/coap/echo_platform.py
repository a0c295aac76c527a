"""The smallest CoAP platform: what a server can say, each under a path of its own.

GET, POST, PUT /echo         2.05 or 2.04, with the payload and the options of the request
/late?300                    the same, 300 ms later
/large?65536                 2.05 with so many bytes
/no  /silent  /broken        4.03 with a reason; nothing at all; a bug
/reset  /close?reset         RST; the end of the session
/unheard?2                   the request that comes counts as never arrived, twice, and then is answered
/lost?1  /twice  /half  /malformed    an answer that does not get through like that
/counter?con,2000            observable; POST counts and tells everybody, in messages that want an ACK, of 2000 bytes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fleetrig.reference_server.coap_rules import PLAIN_COAP, CoapRules
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Store
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send, Unheard, WireForm
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Undecodable

FORMS = {"/lost": WireForm.LOST, "/twice": WireForm.TWICE, "/half": WireForm.HALF, "/malformed": WireForm.MALFORMED}


def number_of(query: str, most: int = 100_000) -> int:
    """The number in a query; 1 if there is none."""
    return min(most, int(query)) if query.isdecimal() else 1


def pattern(n_bytes: int) -> bytes:
    return bytes(n * 31 % 251 for n in range(n_bytes))


@dataclass
class Observer:
    session: int
    token: bytes
    wants: list[str]


@dataclass
class CoapEcho:
    """A `CoapPlatform`. Its constructor is a `PlatformBuilder`."""

    store: Store | None = None
    blobs: Blobs | None = None
    entropy: Entropy | None = None
    name: str = "coap-echo"
    coap_rules: CoapRules = PLAIN_COAP
    heard: list[str] = field(default_factory=list)
    """Lines of what came; of what cannot be decoded the reason."""
    open: set[int] = field(default_factory=set)
    observers: list[Observer] = field(default_factory=list)
    count: int = 0
    counts_us: int | None = None
    """When it counts by itself."""

    def opened(self, session: Session, now_us: int) -> Reaction:
        self.open.add(session.id)
        return NOTHING

    def closed(self, session: Session, now_us: int) -> Reaction:
        self.open.discard(session.id)
        self.observers = [one for one in self.observers if one.session != session.id]
        return NOTHING

    def next_due_us(self) -> int | None:
        return self.counts_us

    def advance(self, now_us: int) -> Sequence[Reaction]:
        """Counts by itself, if it is time."""
        if self.counts_us is None or self.counts_us > now_us:
            return ()
        self.counts_us = None
        return (Reaction(self._tell_all()),)

    def secrets(self) -> list[tuple[str, str]]:
        return []

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        match envelope:
            case CoapRequest():
                self.heard.append(envelope.line)
                return self._answer(session.id, envelope)
            case CoapReset(token):
                self.heard.append("RST")
                self.observers = [one for one in self.observers if (one.session, one.token) != (session.id, token)]
                return NOTHING
            case Undecodable(why=why):
                self.heard.append(why)
                return Reaction(reason=why)
            case _:
                raise AssertionError(envelope)

    def _answer(self, session: int, request: CoapRequest) -> Reaction:
        token = request.token
        match request.path:
            case "/echo":
                return Reaction((Send(session, _echo(request)),))
            case "/late":
                return Reaction((Send(session, _echo(request), number_of(request.query) * US_PER_MS),))
            case "/large":
                return Reaction((Send(session, CoapResponse("2.05", pattern(number_of(request.query)), token=token)),))
            case "/counter":
                return Reaction(self._counter(session, request))
            case path if path in FORMS:
                copies = number_of(request.query)
                return Reaction((Send(session, _echo(request), form=FORMS[path], copies=copies),))
            case _:
                return self._refuse(session, request)

    def _refuse(self, session: int, request: CoapRequest) -> Reaction:
        token = request.token
        match request.path:
            case "/no":
                return Reaction((Send(session, CoapResponse("4.03", token=token)),), reason="nobody may")
            case "/silent":
                return NOTHING
            case "/reset":
                return Reaction((Send(session, CoapReset(token)),))
            case "/close":
                ending = next((one for one in Ending if one == request.query), Ending.CLOSED)
                return Reaction((Close(session, ending),))
            case "/unheard" if self.heard.count(request.line) == 1:
                return Reaction((Unheard(session, number_of(request.query)),))
            case "/unheard":
                return Reaction((Send(session, _echo(request)),))
            case "/broken":
                raise LookupError("a bug")
            case _:
                return Reaction((Send(session, CoapResponse("4.04", token=token)),))

    def _counter(self, session: int, request: CoapRequest) -> tuple[Output, ...]:
        if request.method == "POST":
            return (Send(session, CoapResponse("2.04", token=request.token)), *self._tell_all())
        one = Observer(session, request.token, request.query.split(","))
        self.observers = [other for other in self.observers if (other.session, other.token) != (session, request.token)]
        if request.observe != 0:
            return (Send(session, CoapResponse("2.05", b"%d" % self.count, token=request.token)),)
        self.observers.append(one)
        return (Send(session, self._count_for(one)),)

    def _tell_all(self) -> tuple[Send, ...]:
        self.count += 1
        return tuple(Send(one.session, self._count_for(one)) for one in self.observers)

    def _count_for(self, one: Observer) -> CoapResponse:
        sizes = [number_of(want) for want in one.wants if want.isdecimal()]
        payload = (b"%d " % self.count).ljust(sizes[0] if sizes else 0, b".")
        confirmable = "con" in one.wants
        return CoapResponse("2.05", payload, observe=self.count + 2, token=one.token, confirmable=confirmable)


def _echo(request: CoapRequest) -> CoapResponse:
    code = "2.05" if request.method == "GET" else "2.04"
    content_format = tuple(option for option in request.options if option[0] == 12)
    return CoapResponse(code, request.payload, content_format, token=request.token)
