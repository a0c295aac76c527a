"""A front for sessions over TCP: each envelope is a frame, four bytes of length and the envelope's JSON.

`to_frame` and `FrameReader` are for its clients too. `TOY_LISTENER_KINDS` adds it to the server's table as `toy`,
and as `toys` over TLS.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import cast

from fleetrig.reference_server.fronts.front import FrontTools, ListenerKind
from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.listener_kinds import LISTENER_KINDS
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Conversation, Envelope, LateAnswer, Output, Send, Unheard
from fleetrig.simulator.contract.envelope_json import envelope_from_json, envelope_to_json
from fleetrig.simulator.contract.masking import Secrets

LENGTH_BYTES = 4


class InClear(Secrets):
    """A wire hides nothing, credentials neither."""

    def hide_credential(self, value: str) -> str:
        return value


IN_CLEAR = InClear()


def to_frame(envelope: Envelope) -> bytes:
    text = json.dumps(envelope_to_json(envelope, IN_CLEAR)).encode("ascii")
    return len(text).to_bytes(LENGTH_BYTES, "big") + text


class FrameReader:
    """Puts frames together from what arrives, in pieces of any size."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[Envelope]:
        """The envelopes that are whole now. Raises ValueError, KeyError or TypeError for what is none."""
        self._data += data
        found = []
        while (envelope := self._next()) is not None:
            found.append(envelope)
        return found

    @property
    def pending_bytes(self) -> int:
        return len(self._data)

    def _next(self) -> Envelope | None:
        length = int.from_bytes(self._data[:LENGTH_BYTES], "big")
        end = LENGTH_BYTES + length
        if len(self._data) < max(LENGTH_BYTES, end):
            return None
        text, self._data = self._data[LENGTH_BYTES:end], self._data[end:]
        return envelope_from_json(json.loads(text))


class ToyFront:
    """A `Front`. What comes too large or is no frame ends the connection."""

    def __init__(self, server: Conversation, tools: FrontTools) -> None:
        self.server = server
        self.tools = tools
        self.connections: dict[int, ToyConnection] = {}
        self._listeners: list[Listener] = []
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    async def listen(self, listener: Listener) -> None:
        await listener.open(lambda: ToyConnection(self, listener.name))
        self._listeners.append(listener)

    async def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections.values()):
            connection.transport.close()
        await self._all_gone.wait()

    def add(self, connection: ToyConnection) -> None:
        self.connections[connection.session.id] = connection
        self._all_gone.clear()

    def remove(self, connection: ToyConnection) -> None:
        del self.connections[connection.session.id]
        if not self.connections:
            self._all_gone.set()

    def perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Unheard | LateAnswer) or output.session not in self.connections:
                continue
            if output.delay_us:
                asyncio.get_running_loop().call_later(to_s(output.delay_us), self._perform, output)
            else:
                self._perform(output)

    def refuse(self) -> None:
        for listener in self._listeners:
            listener.refuse()
        for connection in list(self.connections.values()):
            reset(connection.transport)

    async def accept_again(self) -> None:
        for listener in self._listeners:
            await listener.accept_again()

    def _perform(self, output: Send | Close) -> None:
        connection = self.connections.get(output.session)
        if connection is None:
            return
        if isinstance(output, Send):
            connection.send(output.envelope)
        else:
            connection.end(output.ending)


class ToyConnection(asyncio.Protocol):
    def __init__(self, front: ToyFront, listener: str) -> None:
        self._front = front
        self._listener = listener
        self._frames = FrameReader()
        self._has_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.session = session_of(transport, self._listener, self._front.tools.next_session_id)
        self._front.add(self)
        self._front.tools.perform(self._front.server.opened(self.session, self._now_us()))

    def data_received(self, data: bytes) -> None:
        try:
            envelopes = self._frames.feed(data)
            if self._frames.pending_bytes > self._front.tools.limits.body_bytes:
                raise ValueError("too large")
        except (KeyError, TypeError, ValueError):
            self.end(Ending.RESET)
            return
        for envelope in envelopes:
            if self._has_ended:
                return
            try:
                self._front.tools.perform(self._front.server.receive(self.session, envelope, self._now_us()))
            except Exception as bug:  # noqa: BLE001 (a bug must not end the server)
                self._front.tools.on_bug(envelope, bug)
                self.end(Ending.RESET)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._front.tools.perform(self._front.server.closed(self.session, self._now_us()))
        self._front.remove(self)

    def send(self, envelope: Envelope) -> None:
        if not self._has_ended:
            self.transport.write(to_frame(envelope))

    def end(self, ending: Ending) -> None:
        self._has_ended = True
        match ending:
            case Ending.SILENCE:
                pass
            case Ending.RESET | Ending.REFUSED:
                reset(self.transport)
            case _:
                self.transport.close()

    def _now_us(self) -> int:
        return self._front.tools.clock.now_us()


TOY_LISTENER_KINDS = {
    **LISTENER_KINDS,
    "toy": ListenerKind(ToyFront),
    "toys": ListenerKind(ToyFront, is_tls=True),
}
