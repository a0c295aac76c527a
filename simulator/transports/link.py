"""What a device talks over in real time: HTTP as needed, and one connection of another protocol at a time.

The scheme of `Connect.where` names the protocol; a table of openers, scheme -> `Opener`, has the libraries.
A CoAP request opens an endpoint by itself when there is none.
"""

from __future__ import annotations

import time
from asyncio import timeout
from collections.abc import Callable, Mapping

from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.effects import Ask, Await, Connect, Disconnect, Done, Download, NoReply, Outcome, Reply, Tell
from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.connection import FAILURES, Connection, Opener
from fleetrig.simulator.transports.http import HttpTransport, OnSent
from fleetrig.simulator.transports.lost_connection import why_no_connection


class Link:
    """The connections of one device from power-on to power-off. `dropped` gets what an inbox had no room for."""

    def __init__(
        self,
        http: HttpTransport,
        openers: Mapping[str, Opener],
        tls: DeviceTls,
        serial: str,
        dropped: Callable[[Envelope], None],
    ) -> None:
        """`tls`: what openers of schemes with TLS show and trust."""
        self._http = http
        self._openers = openers
        self._tls = tls
        self._serial = serial
        self._dropped = dropped
        self._connection: Connection | None = None

    async def perform(
        self,
        effect: Connect | Ask | Tell | Await | Disconnect | Download,
        within_s: float,
        on_sent: OnSent | None = None,
    ) -> Outcome:
        """`within_s` limits everything but HTTP, which limits itself. `on_sent` is called when everything is out.

        Raises ModelError when there is no opener for the scheme, or a connection already that leads elsewhere.
        """
        match effect:
            case Ask(request=HttpRequest()):
                return await self._http.ask(effect, on_sent)
            case Download():
                return await self._http.download(effect, self._serial, on_sent)
            case Disconnect():
                await self._hang_up()
                return Done()
            case _:
                return await self._converse(effect, within_s, on_sent or _nothing)

    async def close(self) -> None:
        """Closes everything at power-off, whatever else ends the device meanwhile."""
        try:
            await self._hang_up()
        finally:
            await self._http.close()

    async def _converse(self, effect: Connect | Ask | Tell | Await, within_s: float, on_sent: OnSent) -> Outcome:
        started_s = time.monotonic()
        try:
            async with timeout(within_s):
                came = await self._exchange(effect, on_sent)
        except FAILURES as error:
            is_late = isinstance(error, TimeoutError)
            if is_late and isinstance(effect, Connect):
                await self._hang_up()
            return NoReply(why_no_connection(error), within_s if is_late else time.monotonic() - started_s)
        after_s = time.monotonic() - started_s
        return Done(after_s) if came is None else Reply(came, after_s)

    async def _exchange(self, effect: Connect | Ask | Tell | Await, on_sent: OnSent) -> Envelope | None:
        """The envelope that comes back; None for an effect without an answer."""
        current = self._connection
        where = where_to_connect(effect, "" if current is None or current.ended else current.where)
        if where is not None:
            current = await self._open(where)
        if current is None:
            raise EOFError
        match effect:
            case Await(patterns=patterns):
                return await current.wait_for(patterns)
            case Tell(envelope=envelope):
                await current.tell(envelope, on_sent)
                return None
            case Connect(envelope=None):
                on_sent()
                return None
            case Connect(envelope=request) | Ask(request=request):
                assert request is not None
                return await current.ask(request, on_sent)

    async def _open(self, where: str) -> Connection:
        await self._hang_up()
        scheme = where.partition(":")[0]
        if scheme not in self._openers:
            known = ", ".join(sorted({"http", "https", *self._openers}))
            raise ModelError(f"device {self._serial} connects to {where}, but real time here can open only {known}")
        self._connection = Connection(where, await self._openers[scheme](where, self._tls), self._dropped)
        return self._connection

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def where_to_connect(effect: Connect | Ask | Tell | Await, connected_to: str) -> str | None:
    """Where a connection has to be opened for this effect; None when none has to.

    `connected_to` is where the device has one, empty without. A CoAP request opens its own. Raises ModelError when the
    device has a connection already that leads elsewhere.
    """
    match effect:
        case Connect(where=where) if connected_to:
            raise ModelError(f"a device connects to {where} while it is connected to {connected_to}: Disconnect first")
        case Connect(where=where):
            return where
        case Ask(request=CoapRequest(origin=origin)) | Tell(envelope=CoapRequest(origin=origin)):
            if connected_to and connected_to != origin:
                raise ModelError(f"a device asks {origin} while it is connected to {connected_to}: Disconnect first")
            return None if connected_to else origin
        case _:
            return None


def _nothing() -> None:
    pass
