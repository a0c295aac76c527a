"""A port shared with other machines by RFC 2217: who comes first writes, all others read along.

    shared = SharedPort("gw-1", port, 115_200, clock, trace)
    async with shared.listening("127.0.0.1", 0) as address:
        await shared.run()

Nothing asks who a client is: whoever reaches the address has the board's console. So it is a loopback address unless
somebody names another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fleetrig.hil.port import BoardPort, PortBytes, PortLost, Way
from fleetrig.hil.ports.rfc2217_client import Break, Change, NotRfc2217, Rfc2217Client, SetLine, SetSpeed, Wrote
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.trace import Lane, Trace

MOST_CLIENTS: Final = 16
UNSENT_BYTES: Final = 1024 * 1024
"""A client that takes nothing for so long is left behind: a board cannot wait for it."""
READ_BYTES: Final = 1_024
LOOK_S: Final = 1.0


class _Client:
    def __init__(self, name: str, baud: int, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.writer = writer
        self.protocol = Rfc2217Client(baud, self._send)

    def _send(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)

    @property
    def unsent_bytes(self) -> int:
        return self.writer.transport.get_write_buffer_size()


class SharedPort:
    """`baud` is what the port was opened with. Trace events `bridged` say who came, what was changed, who left."""

    def __init__(self, board: str, port: BoardPort, baud: int, clock: Clock, trace: Trace) -> None:
        self.board = board
        self._port = port
        self._baud = baud
        self._clock = clock
        self._trace = trace
        self._clients: dict[_Client, asyncio.Task[None]] = {}
        """In the order in which they came."""
        self._writes: _Client | None = None

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[str]:
        """Gives `host:port`, with the port that was taken for 0. Raises BrokenBench when it cannot be had."""
        try:
            server = await asyncio.start_server(self._accept, host, port)
        except OSError as error:
            raise BrokenBench(
                f"{host}:{port} cannot be listened on: {system_said(error)}; another --rfc2217?"
            ) from None
        unwatch = self._port.watch(self._heard)
        try:
            taken = server.sockets[0].getsockname()
            yield f"{taken[0]}:{taken[1]}"
        finally:
            unwatch()
            server.close()
            await self._send_away()

    async def run(self) -> None:
        """Until the port is lost (PortLost) or the task is cancelled."""
        while True:
            await self._port.read(LOOK_S)  # the watcher has had it already

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername") or ("somebody", 0)
        if len(self._clients) >= MOST_CLIENTS:
            self._tell("refused", f"{peer[0]}:{peer[1]}: {MOST_CLIENTS} are there already")
            writer.close()
            return
        client = _Client(f"{peer[0]}:{peer[1]}", self._baud, writer)
        self._writes = self._writes or client
        self._tell("joined", f"{client.name} {'writes' if self._writes is client else 'reads along'}")
        self._clients[client] = asyncio.create_task(self._serve(client, reader))

    async def _serve(self, client: _Client, reader: asyncio.StreamReader) -> None:
        why = "the sharing has ended"
        try:
            while data := await reader.read(READ_BYTES):
                for change in client.protocol.asked(data):
                    await self._perform(client, change)
            why = "closed"
        except NotRfc2217 as error:
            why = str(error)
        except PortLost as lost:
            why = lost.cause
        except OSError as error:
            why = system_said(error)
        finally:
            self._leave(client, why)

    def _leave(self, client: _Client, why: str) -> None:
        if self._clients.pop(client, None) is None:
            return
        if self._writes is client:
            self._writes = None
        client.writer.close()
        self._tell("left", f"{client.name}: {why}")

    async def _perform(self, client: _Client, change: Change) -> None:
        if client is not self._writes:
            return
        match change:
            case Wrote(data):
                await self._port.write(data)
            case SetSpeed(baud):
                await self._port.set_speed(baud)
                self._baud = baud
                self._tell("speed", f"{client.name}: {baud} baud")
            case SetLine(line, on):
                await self._set_line(client, line, on=on)
            case Break():
                await self._port.send_break()
                self._tell("break", client.name)

    async def _set_line(self, client: _Client, line: str, *, on: bool) -> None:
        wanted = f"{client.name}: {line.upper()} {'on' if on else 'off'}"
        try:
            await (self._port.set_lines(rts=on) if line == "rts" else self._port.set_lines(dtr=on))
        except PortLost:
            raise
        except BrokenBench as error:
            self._tell("line", f"{wanted}, not done: {error}")
        else:
            self._tell("line", wanted)

    def _heard(self, heard: PortBytes) -> None:
        if heard.way is not Way.FROM_BOARD:
            return
        for client in list(self._clients):
            client.protocol.heard(heard.data)
            if client.unsent_bytes > UNSENT_BYTES:
                client.writer.transport.abort()
                self._leave(client, f"it has not taken {UNSENT_BYTES:,} bytes")

    async def _send_away(self) -> None:
        tasks = list(self._clients.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, name: str, reason: str) -> None:
        self._trace.emit(self._clock.now_us(), Lane.BOARD, "bridged", self.board, name=name, reason=reason)
