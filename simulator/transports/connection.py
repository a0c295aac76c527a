"""A connection of a device in real time: a wire that a library carries, and the inbox for what comes on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.inbox import Inbox

FAILURES: Final = (OSError, EOFError, ValueError)
"""What a wire or an opener may raise; anything else is a bug of ours."""


class Wire(Protocol):
    """An open connection that carries the envelopes of one protocol."""

    async def send(self, envelope: Envelope) -> None:
        """Returns when the envelope is on its way. Raises OSError."""

    async def receive(self) -> Envelope:
        """The next envelope. Raises EOFError at the end, OSError, and ValueError for bytes that are no message."""

    def give_up(self, request: Envelope) -> None:
        """The device no longer waits for the answer to a request: what repeats it by itself need not go on."""

    async def close(self) -> None:
        """Closes the connection, in any state. Raises nothing."""


Opener = Callable[[str, DeviceTls], Awaitable[Wire]]
"""`opener(where, tls)` opens a wire; `tls` is what the device shows and whom it trusts.

Raises OSError; ssl.SSLError, which is one, when TLS fails.
"""


class Connection:
    """An open connection: a task of its own receives what comes. It serves one caller at a time.

    All calls raise what has ended the connection, as soon as the inbox has nothing for them.
    """

    def __init__(self, where: str, wire: Wire, dropped: Callable[[Envelope], None]) -> None:
        self.where = where
        self.ended: BaseException | None = None
        """The error that ended it; None while it is open, and when the device has closed it."""
        self._wire = wire
        self._dropped = dropped
        self._inbox = Inbox()
        self._waiting: asyncio.Future[Envelope] | None = None
        self._reader = asyncio.create_task(self._read())

    async def ask(self, request: Envelope, on_sent: Callable[[], None]) -> Envelope:
        """The answer to a request. Raises ModelError for a request that has none."""
        numbered = self._inbox.numbered(request)
        self._inbox.want_answer(numbered)
        try:
            return await self._next(lambda: self.tell(numbered, on_sent))
        except asyncio.CancelledError:
            self._wire.give_up(numbered)
            raise

    async def wait_for(self, patterns: tuple[str, ...]) -> Envelope:
        """The oldest envelope in the inbox that fits, or the next that comes."""
        found = self._inbox.want_fitting(patterns)
        return await self._next(self._still_open) if found is None else found

    async def tell(self, envelope: Envelope, on_sent: Callable[[], None]) -> None:
        """Sends an envelope that has no answer."""
        await self._still_open()
        await self._wire.send(self._inbox.numbered(envelope))
        on_sent()

    async def close(self) -> None:
        """The device ends it, also when it is switched off meanwhile."""
        self._reader.cancel()
        try:
            await asyncio.gather(self._reader, return_exceptions=True)
        finally:
            await self._wire.close()

    async def _next(self, first: Callable[[], Awaitable[None]]) -> Envelope:
        """The envelope that the inbox waits for, once `first` is done."""
        waiting: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        try:
            await first()
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                self._keep(waiting.result())  # it came at the very moment when the caller gave up
            raise
        finally:
            self._waiting = None
            self._inbox.want_nothing()

    async def _still_open(self) -> None:
        if self.ended is not None:
            raise self.ended

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._wire.receive())
        except Exception as error:  # noqa: BLE001 (the caller gets it, now or with the next call)
            self.ended = error
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(error)

    def _take(self, envelope: Envelope) -> None:
        waiting = self._waiting
        if waiting is not None and not waiting.done() and self._inbox.is_wanted(envelope):
            waiting.set_result(envelope)
        else:
            self._keep(envelope)

    def _keep(self, envelope: Envelope) -> None:
        if (lost := self._inbox.keep(envelope)) is not None:
            self._dropped(lost)
