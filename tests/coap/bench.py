"""A front's messages over the echo platform without sockets: datagrams in and out, time that only `after` moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiocoap  # type: ignore[import-untyped]
from aiocoap.numbers.types import Type  # type: ignore[import-untyped]

from fleetrig.reference_server.coap_messages.agenda import Agenda
from fleetrig.reference_server.coap_messages.endpoint import CoapEndpoint
from fleetrig.reference_server.coap_messages.layer import Layer
from fleetrig.reference_server.coap_rules import PLAIN_COAP, CoapRules
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Close, Envelope, LateAnswer, Output, Send, Unheard
from fleetrig.simulator.contract.session import Session
from tests.coap.echo_platform import CoapEcho

CON, NON, ACK, RST = Type.CON, Type.NON, Type.ACK, Type.RST
GET, POST, PUT = aiocoap.GET, aiocoap.POST, aiocoap.PUT
SESSION = Session("192.0.2.7", 5683, 1, "coap")
HELLO = b"hello"


def message(kind: Type, code: int, message_id: int, token: bytes = b"t", uri: str = "", **fields: Any) -> bytes:
    """A datagram as aiocoap writes it: `uri` is path and query, `fields` are its options and the payload."""
    payload = fields.pop("payload", b"")
    made = aiocoap.Message(code=code, payload=payload, _mtype=kind, _mid=message_id, _token=token, **fields)
    path, _, query = uri.partition("?")
    made.opt.uri_path = [segment for segment in path.split("/") if segment]
    made.opt.uri_query = query.split("&") if query else []
    return bytes(made.encode())


def con(uri: str, message_id: int = 1, code: int = GET, **fields: Any) -> bytes:
    return message(CON, code, message_id, uri=uri, **fields)


def line(datagram: bytes) -> str:
    """`ACK 2.05 #7 t`, `CON 2.05 #9 t`, `RST 0.00 #1`."""
    read = aiocoap.Message.decode(datagram)
    return f"{read.mtype.name} {read.code.dotted} #{read.mid} {read.token.decode('latin-1')}".rstrip()


@dataclass
class MessageBench:
    """One endpoint. What is sent to it lies in `sent` until it is taken."""

    rules: CoapRules = PLAIN_COAP
    now_us: int = 0
    sent: list[bytes] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.platform = CoapEcho(coap_rules=self.rules)
        self.agenda = Agenda()
        self.layer = Layer(self.rules, Random(1).uniform, self.agenda)
        self.endpoint = CoapEndpoint(SESSION, self.layer, self.sent.append, self._tell)

    def hear(self, datagram: bytes) -> list[str]:
        """What one datagram is answered by, at once."""
        self.endpoint.received(datagram, self.now_us)
        return self.said()

    def said(self) -> list[str]:
        return [line(datagram) for datagram in self.taken()]

    def taken(self) -> list[bytes]:
        found, self.sent[:] = list(self.sent), []
        return found

    def read(self, datagram: bytes) -> aiocoap.Message:
        """The one answer to a datagram."""
        self.endpoint.received(datagram, self.now_us)
        (answer,) = self.taken()
        return aiocoap.Message.decode(answer)

    def after(self, seconds: float) -> list[str]:
        until_us = self.now_us + int(seconds * US_PER_S)
        while (due_us := self.agenda.next_us()) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            self.agenda.run(self.now_us)
        self.now_us = until_us
        return self.said()

    def send(self, envelope: Envelope, **fields: Any) -> list[str]:
        self.endpoint.perform(Send(SESSION.id, envelope, **fields), self.now_us)
        return self.said()

    def _tell(self, envelope: Envelope) -> None:
        for output in self.platform.receive(SESSION, envelope, 0).outputs:
            delay_us = 0 if isinstance(output, Unheard | LateAnswer) else output.delay_us
            if delay_us:
                self.agenda.at(self.now_us + delay_us, lambda _, output=output: self._perform(output))  # type: ignore[misc]
            else:
                self._perform(output)

    def _perform(self, output: Output) -> None:
        if self.closed:
            return
        match output:
            case Send():
                self.endpoint.perform(output, self.now_us)
            case Unheard(copies=copies):
                self.endpoint.unheard(copies)
            case Close(ending=ending):
                self.endpoint.close(ending)
                self.closed.append(ending)
