"""A server for one device, datagram by datagram: a channel whose other end is the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import wraps
from itertools import count
from typing import Any, ParamSpec

from aiocoap import Reliable  # type: ignore[import-untyped]

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.transports.coap import CoapWire
from fleetrig.simulator.transports.coap_messages import RELIABLE
from tests.simulator.transports.coap_datagrams import ACK, CON, OBSERVE, Datagram, decode, encode, number_bytes

P = ParamSpec("P")

ORIGIN = "coap://127.0.0.1:5683"
GENEROUS_S = 20.0
OBSERVING = CoapRequest("GET", ORIGIN, "/state", observe=0, token=b"obs")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that is a coroutine."""

    @wraps(test)
    def run(*arguments: P.args, **more: P.kwargs) -> None:
        asyncio.run(test(*arguments, **more))

    return run


class Quick(Reliable):  # type: ignore[misc]
    """Repeats four times within a moment."""

    ACK_TIMEOUT = 0.002
    ACK_RANDOM_FACTOR = 1.0


class Patient(Reliable):  # type: ignore[misc]
    """Never repeats anything while a test lasts."""

    ACK_TIMEOUT = 1_000.0


class ToTest:
    """A `DatagramChannel`."""

    def __init__(self) -> None:
        self.out: asyncio.Queue[bytes] = asyncio.Queue()
        self.back: asyncio.Queue[bytes | BaseException] = asyncio.Queue()
        self.is_closed = False

    def send(self, datagram: bytes) -> None:
        if self.is_closed:
            raise EOFError
        self.out.put_nowait(datagram)

    async def receive(self) -> bytes:
        came = await self.back.get()
        if isinstance(came, BaseException):
            raise came
        return came

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Device:
    """The device's wire, and its server: `hear` and `say`."""

    wire: CoapWire
    channel: ToTest

    async def hear(self) -> Datagram:
        return decode(await self.channel.out.get())

    def say(self, *datagrams: Datagram | bytes | BaseException) -> None:
        for datagram in datagrams:
            self.channel.back.put_nowait(encode(datagram) if isinstance(datagram, Datagram) else datagram)

    async def asks(self, request: CoapRequest) -> Datagram:
        """What is heard of a request."""
        await self.wire.send(request)
        return await self.hear()

    async def came(self) -> Envelope:
        return await self.wire.receive()

    @property
    def has_said_all(self) -> bool:
        return self.channel.out.empty()

    async def observes(self, *, first: int = 7) -> Datagram:
        """Registers for `/state`, which the server accepts with `now`."""
        asked = await self.asks(OBSERVING)
        self.say(notification(asked, first, b"now", piggybacked=True))
        await self.came()
        return asked

    async def settled(self) -> None:
        """All that was said has been taken: an answer that came after it is there."""
        asked = await self.asks(CoapRequest("GET", ORIGIN, "/settled", token=b"settled", confirmable=False))
        self.say(answer_to(asked))
        while getattr(await self.came(), "token", b"") != b"settled":
            pass


@asynccontextmanager
async def device(tuning: Reliable = RELIABLE) -> AsyncIterator[Device]:
    channel = ToTest()
    async with asyncio.timeout(GENEROUS_S):
        wire = CoapWire(channel, ORIGIN, tuning)
        try:
            yield Device(wire, channel)
        finally:
            await wire.close()


MIDS = count(40_000)


def answer_to(asked: Datagram, code: str = "2.05", payload: bytes = b"", **more: object) -> Datagram:
    """The piggybacked answer; another `kind` makes it a separate one, with a message id of its own."""
    kind = more.get("kind", ACK)
    mid = asked.mid if kind is ACK else next(MIDS) % 65_536
    return replace(Datagram(ACK, code, mid, asked.token, payload=payload), **more)  # type: ignore[arg-type]


def notification(
    asked: Datagram, sequence: int, payload: bytes = b"", *, piggybacked: bool = False, **more: object
) -> Datagram:
    if not piggybacked:
        more = {"kind": CON, **more}
    options = ((OBSERVE, number_bytes(sequence)), *more.pop("options", ()))  # type: ignore[misc]
    return answer_to(asked, "2.05", payload, options=options, **more)
