"""A device's side of CoAP: an endpoint of its own towards one server, over UDP (`coap://`) or DTLS (`coaps://`).

aiocoap does what the protocol asks for: it repeats what is confirmable, acknowledges, transfers in blocks. Where it
gives up itself, up to 93 s after a request that nobody acknowledges, nothing comes: the flow's own patience tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from aiocoap import Message, TransportTuning, error  # type: ignore[import-untyped]

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.transports.arrivals import Arrivals
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.coap_messages import RELIABLE, message_of, response_of
from fleetrig.simulator.transports.coap_stack import CoapStack, OddBlocks
from fleetrig.simulator.transports.coap_under_way import UNANSWERED_LIMIT
from fleetrig.simulator.transports.dtls import open_dtls
from fleetrig.simulator.transports.udp import UNREAD_LIMIT, DatagramChannel, open_udp

COAP_PORT: Final = 5683
COAPS_PORT: Final = 5684


async def open_coap(where: str, tls: DeviceTls) -> CoapWire:
    """An `Opener` for `coap://host:5683` and `coaps://host:5684`; the port may be missing.

    Raises ssl.SSLError when a handshake fails.
    """
    is_secure = where.startswith("coaps:")
    host, port = _address(where, COAPS_PORT if is_secure else COAP_PORT)
    return CoapWire(await (open_dtls(host, port, tls) if is_secure else open_udp(host, port)), where)


class CoapWire:
    """A `Wire` for CoAP. `tuning` has the timers of confirmable requests."""

    def __init__(self, channel: DatagramChannel, where: str, tuning: TransportTuning = RELIABLE) -> None:
        self._tuning = tuning
        self._channel = channel
        self._stack = CoapStack(channel, where)
        self._came: Arrivals[Envelope] = Arrivals(UNREAD_LIMIT)
        self._unanswered: dict[bytes, asyncio.Task[None]] = {}
        """Token -> who waits for the answer, oldest first."""
        self._observing: dict[bytes, asyncio.Task[None]] = {}
        self._reader = asyncio.create_task(self._read())

    async def send(self, envelope: Envelope) -> None:
        """Returns when all of a request is out; a confirmable one waits until the last is acknowledged (NSTART = 1).

        A `CoapReset` ends an observation: the next notification is reset.
        """
        match envelope:
            case CoapRequest():
                await self._request(envelope)
            case CoapReset(token):
                self._forget(token)
            case _:
                raise ModelError(f"a device does not send {envelope.line} over CoAP")

    async def receive(self) -> Envelope:
        return await self._came.take()

    def give_up(self, request: Envelope) -> None:
        """Otherwise nothing else could be said until aiocoap gives up, up to 93 s later."""
        if isinstance(request, CoapRequest):
            self._stack.give_up(request.token)

    async def close(self) -> None:
        await self._stack.close()
        tasks = (self._reader, *self._unanswered.values(), *self._observing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                self._stack.received(await self._channel.receive())
        except Exception as failure:  # noqa: BLE001 (whoever receives is told)
            self._came.end(failure)

    async def _request(self, request: CoapRequest) -> None:
        message = message_of(request, self._tuning)
        self._forget(request.token)
        if len(self._unanswered) >= UNANSWERED_LIMIT:
            self._forget(next(iter(self._unanswered)))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._converse(request.token, message, partial(_finish, sent)))
        task.add_done_callback(partial(self._ended, request.token))
        self._unanswered[request.token] = task
        try:
            await sent
        except asyncio.CancelledError:
            self._forget(request.token)  # it is not out, and will not be
            raise

    async def _converse(self, token: bytes, message: Message, on_sent: Callable[[], None]) -> None:
        """Brings the answer, and what follows it while the resource is observed."""
        notifications: Arrivals[Message] = Arrivals(UNREAD_LIMIT)
        try:
            answer = await self._stack.ask(message, on_sent, notifications.put)
            self._came.put(response_of(answer, token))
            if message.opt.observe == 0 and answer.opt.observe is not None:
                self._observing[token] = self._unanswered.pop(token)
                await self._follow(token, message, notifications)
        except error.MessageError:
            self._came.put(CoapReset(token))
        except error.TimeoutError:
            return
        except OddBlocks as wrong:
            self._came.end(wrong)
        finally:
            on_sent()

    async def _follow(self, token: bytes, message: Message, notifications: Arrivals[Message]) -> None:
        """An observation, until the server ends it with an answer that is no notification (RFC 7641 §3.2)."""
        is_observed = True
        while is_observed:
            notification = await self._stack.completed(message, await notifications.take())
            is_observed = notification.opt.observe is not None
            self._came.put(response_of(notification, token))

    def _forget(self, token: bytes) -> None:
        self._stack.forget(token)
        for tasks in (self._unanswered, self._observing):
            if (task := tasks.pop(token, None)) is not None:
                task.cancel()

    def _ended(self, token: bytes, task: asyncio.Task[None]) -> None:
        for tasks in (self._unanswered, self._observing):
            if tasks.get(token) is task:
                del tasks[token]
        if not task.cancelled() and isinstance(bug := task.exception(), Exception):
            self._came.end(bug)


def _address(where: str, default_port: int) -> tuple[str, int]:
    """Raises ModelError for an address without a host."""
    parts = urlsplit(where)
    if not parts.hostname:
        raise ModelError(f"a device connects to {where}, which names no host")
    return parts.hostname, parts.port or default_port


def _finish(sent: asyncio.Future[None]) -> None:
    if not sent.done():
        sent.set_result(None)
