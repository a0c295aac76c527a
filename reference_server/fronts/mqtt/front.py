"""MQTT over sockets: a `Front` that holds connections and limits, and decides nothing that is said on the wire.

What ends a connection without the server's having said so is in the network lane, with its reason: `malformed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.mqtt.connection import MqttConnection
from fleetrig.reference_server.fronts.mqtt.patience import Patience
from fleetrig.reference_server.mqtt_limits import MqttLimits, mqtt_limits_of
from fleetrig.reference_server.platform import SessionPlatform
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Conversation, Envelope, LateAnswer, Output, Send, Unheard
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.trace import Lane

STOP_WITHIN_S: Final = 1.0


class MqttFront:
    """All MQTT listeners of one platform, with and without TLS. Belongs to the event loop it was opened in."""

    def __init__(self, server: Conversation, limits: MqttLimits, tools: FrontTools) -> None:
        self.limits = limits
        self._most_silent = limits.most_silent
        self.silent = self._patience(limits.first_packet_within_s, "said nothing")
        self.half = self._patience(limits.whole_packet_within_s, "a packet did not come whole")
        self.unread = self._patience(limits.read_within_s, "read too little of what it was sent")
        self.unjudged = self._patience(limits.judged_within_s, "what came is undecodable, and the platform let it be")
        self.going = Patience(limits.gone_within_s, lambda connection: connection.transport.abort())
        self._patiences = (self.silent, self.half, self.unread, self.unjudged, self.going)
        self._server = server
        self._tools = tools
        self.next_session_id = tools.next_session_id
        self._connections: dict[int, MqttConnection] = {}
        """By session id; those that are over stay until their peer has gone."""
        self._listeners: list[Listener] = []
        self._unseen_bytes = 0
        """Written to peers that read too little, since the last look at all of them."""
        self._is_closed = False
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    # A front

    async def listen(self, listener: Listener) -> None:
        await listener.open(partial(MqttConnection, self, listener.name))
        self._listeners.append(listener)

    async def close(self) -> None:
        """What is being sent may end within a second."""
        self._is_closed = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self._connections.values()):
            connection.transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._all_gone.wait()
        for connection in list(self._connections.values()):
            connection.transport.abort()
        await self._all_gone.wait()
        for patience in self._patiences:
            patience.close()

    def perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Unheard | LateAnswer) or output.session not in self._connections:
                continue
            if output.delay_us:
                asyncio.get_running_loop().call_later(to_s(output.delay_us), self._perform_late, output)
            else:
                self._perform(output)

    def refuse(self) -> None:
        self._note_outage(Ending.REFUSED, "stopped listening")
        for listener in self._listeners:
            listener.refuse()
        for connection in list(self._connections.values()):
            reset(connection.transport)

    async def accept_again(self) -> None:
        for listener in self._listeners:
            await listener.accept_again()
        self._note_outage("", "listening again")

    # What connections tell

    def add(self, connection: MqttConnection) -> None:
        self._connections[connection.session.id] = connection
        self._all_gone.clear()
        if self._is_closed:  # it was being accepted when the front was closed
            connection.transport.abort()
            return
        self.silent.add(connection)
        if len(self.silent) > self._most_silent:
            self.lose(self.silent.oldest, f"said nothing, and {self._most_silent:,} others have not either")

    def opened(self, connection: MqttConnection) -> None:
        now_us = self._tools.clock.now_us()
        self._tell(connection, lambda: self._server.opened(connection.session, now_us))

    def receive(self, connection: MqttConnection, envelope: Envelope) -> bool:
        """False if that came upon a bug, which ends the connection."""
        now_us = self._tools.clock.now_us()
        try:
            self._tools.perform(self._server.receive(connection.session, envelope, now_us))
        except Exception as bug:  # noqa: BLE001 (a bug must not end the server)
            self._note_bug(connection, envelope, bug)
            return False
        return True

    def remove(self, connection: MqttConnection) -> None:
        """The connection is gone."""
        del self._connections[connection.session.id]
        self.stop_waiting(connection)
        self._closed(connection)
        if not self._connections:
            self._all_gone.set()

    def stop_waiting(self, connection: MqttConnection) -> None:
        for patience in self._patiences:
            patience.discard(connection)

    def lose(self, connection: MqttConnection, why: str) -> None:
        """Resets a connection that has come to a limit."""
        if not connection.is_over:
            self.note_malformed(connection, why)
        self.stop_waiting(connection)
        connection.is_over = True
        reset(connection.transport)

    def left_unread(self, count: int) -> None:
        """So many bytes more are kept for a peer that reads too little. The first of them go if all have too much."""
        self._unseen_bytes += count
        most = self.limits.all_unread_bytes
        if self._unseen_bytes <= most // 8:
            return
        self._unseen_bytes = 0
        sizes = {one: one.transport.get_write_buffer_size() for one in self.unread}
        all_bytes = sum(sizes.values())
        for connection, size in sizes.items():
            if all_bytes <= most:
                break
            all_bytes -= size
            self.lose(connection, f"it leaves {size:,} bytes unread, and all together more than {most:,}")

    def note_malformed(self, connection: MqttConnection, why: str, envelope: Envelope | None = None) -> None:
        now_us, session = self._tools.clock.now_us(), connection.session.id
        self._tools.trace.emit(now_us, Lane.NETWORK, "malformed", envelope=envelope, reason=why, session=session)

    def note_fault(self, connection: MqttConnection, send: Send, what: str) -> None:
        self._tools.trace.emit(
            self._tools.clock.now_us(),
            Lane.NETWORK,
            "fault",
            envelope=send.envelope,
            fault=send.form,
            reason=what,
            session=connection.session.id,
        )

    # Inside

    def _patience(self, within_s: float, why: str) -> Patience:
        return Patience(within_s, lambda connection: self.lose(connection, f"{why} within {within_s:g} s"))

    def _perform(self, output: Send | Close) -> None:
        connection = self._connections[output.session]
        if connection.is_over:
            return
        try:
            if isinstance(output, Send):
                connection.send(output)
            else:
                connection.end(output.ending)
        except Exception as bug:  # noqa: BLE001 (a bug must not end the server)
            self._note_bug(connection, output.envelope if isinstance(output, Send) else None, bug)
        if isinstance(output, Close):
            self._closed(connection)

    def _perform_late(self, output: Send | Close) -> None:
        if output.session in self._connections:
            self._perform(output)

    def _closed(self, connection: MqttConnection) -> None:
        """The server hears once of each session that it is no more."""
        if connection.is_known:
            connection.is_known = False
            now_us = self._tools.clock.now_us()
            self._tell(connection, lambda: self._server.closed(connection.session, now_us))

    def _tell(self, connection: MqttConnection, tell: Callable[[], Sequence[Output]]) -> None:
        try:
            self._tools.perform(tell())
        except Exception as bug:  # noqa: BLE001 (a bug must not end the server)
            self._note_bug(connection, None, bug)

    def _note_bug(self, connection: MqttConnection, envelope: Envelope | None, bug: Exception) -> None:
        self._tools.on_bug(envelope, bug)
        connection.is_over = True
        reset(connection.transport)

    def _note_outage(self, fault: str, reason: str) -> None:
        self._tools.trace.emit(self._tools.clock.now_us(), Lane.NETWORK, "fault", fault=fault, reason=reason)


def mqtt_front(server: Server, tools: FrontTools) -> MqttFront:
    """The front of a platform's MQTT listeners; how large a packet may be is the platform's to say.

    Raises ModelError for a platform without sessions.
    """
    if not isinstance(server.platform, SessionPlatform):
        raise ModelError(f"the platform {server.platform.name} has no sessions, so it speaks no MQTT")
    return MqttFront(server, mqtt_limits_of(server.platform), tools)
