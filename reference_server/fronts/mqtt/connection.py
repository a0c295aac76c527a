"""One MQTT connection: bytes to envelopes, outputs to bytes, and what ends it.

What has been answered in one turn of reading goes out together. A peer that reads too little is not read from either,
and reset if there is still more for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from fleetrig.reference_server.fronts.http.socket_endings import reset
from fleetrig.reference_server.fronts.mqtt.wire_forms import distorted
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.mqtt_codec.decoder import MqttDecoder
from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Send, WireForm
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttDisconnect, MqttPacket
from fleetrig.simulator.contract.undecodable import Undecodable

if TYPE_CHECKING:
    from fleetrig.reference_server.fronts.mqtt.front import MqttFront

READ_BYTES: Final = 16 * 1024
"""How much is read off a connection at once."""
HIGH_WATER_BYTES: Final = 64 * 1024
"""A peer with more than so much to read is not read from."""


class MqttConnection(asyncio.Protocol):
    """Tells the server of its session: opened, each packet, closed. Never raises for what a peer does."""

    __slots__ = ("_decoder", "_front", "_is_half", "_is_mute", "_is_paused", "_is_silent", "_listener",
                 "_outbox", "_says_goodbye", "_unheard", "is_known", "is_over", "session", "transport")  # fmt: skip

    def __init__(self, front: MqttFront, listener: str) -> None:
        self._front = front
        self._listener = listener
        limits = front.limits
        self._decoder = MqttDecoder(limits.packet_bytes, limits.packets_per_turn, is_strict=limits.is_strict)
        self._outbox: bytearray | None = None
        """What was sent in this turn of reading; None between turns."""
        self._unheard: Sequence[MqttPacket | Undecodable] = ()
        """What has come, and waits until the peer has read more."""
        self._is_half = self._is_mute = self._is_paused = self._says_goodbye = False
        self._is_silent = True
        """Nothing whole has come so far."""
        self.is_over = False
        """The server has ended it; what comes is thrown away."""
        self.is_known = True
        """The server has not heard yet that it has ended."""

    # asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(HIGH_WATER_BYTES)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        self.session = session_of(transport, self._listener, self._front.next_session_id)
        self._front.add(self)
        self._front.opened(self)

    def data_received(self, data: bytes) -> None:
        if not self.is_over:
            self._take(data)

    def pause_writing(self) -> None:
        if self.is_over:
            return
        self._is_paused = True
        self.transport.pause_reading()
        self._front.unread.add(self)

    def resume_writing(self) -> None:
        self._front.unread.discard(self)
        self._is_paused = False
        self._read_on()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.is_over = True
        self._front.remove(self)

    # The front tells

    def send(self, send: Send) -> None:
        """Sends a packet in its form. Raises ModelError for what MQTT has no form for."""
        if self.is_over or self._is_mute:
            return
        packet = cast("MqttPacket", send.envelope)
        data = encode(packet, self._decoder.version)
        if isinstance(packet, MqttConnack) and not packet.code:
            self._decoder.accepted(packet)
        if send.form is not WireForm.WHOLE:
            data, what = distorted(data, send)
            self._is_mute = send.form is WireForm.HALF
            self._front.note_fault(self, send, what)
        if self._outbox is None:
            self._write(data)
        else:
            self._outbox += data
            if len(self._outbox) > HIGH_WATER_BYTES:
                self._flush()

    def end(self, ending: Ending) -> None:
        """The server ends it: in order, with a reset, or by never looking at it again."""
        self._flush()
        self.is_over = True
        self._front.stop_waiting(self)
        match ending:
            case Ending.SILENCE:
                self.transport.resume_reading()  # or its leaving would not be noticed
            case Ending.RESET | Ending.REFUSED:
                reset(self.transport)
            case _:
                self._close()

    # Inside

    def _take(self, data: bytes) -> None:
        packets = self._decoder.feed(data)
        if self._is_silent and packets:
            self._is_silent = False
            self._front.silent.discard(self)
        self._unheard = [*self._unheard, *packets] if self._unheard else packets
        self._hear()
        if not self.is_over:
            self._wait_for_more(has_come=bool(packets))

    def _hear(self) -> None:
        """Packet by packet, while the peer reads the answers. What is left waits until it does."""
        self._outbox = bytearray()
        packets, self._unheard = self._unheard, ()
        for at, packet in enumerate(packets):
            if self._is_paused:
                self._unheard = packets[at:]
                break
            if isinstance(packet, Undecodable):
                self._fail(packet)
            elif isinstance(packet, MqttDisconnect):
                self._says_goodbye = True
            if not self._front.receive(self, packet) or self.is_over:
                break
        self._flush()
        self._outbox = None

    def _fail(self, undecodable: Undecodable) -> None:
        self._front.note_malformed(self, undecodable.why, undecodable)
        self._front.unjudged.add(self)

    def _wait_for_more(self, *, has_come: bool) -> None:
        """`has_come`: a packet was whole; what is half now is another one."""
        is_half = self._decoder.is_half
        if self._is_half and (has_come or not is_half):
            self._front.half.discard(self)
        if is_half and (has_come or not self._is_half):
            self._front.half.add(self)
        self._is_half = is_half
        if self._decoder.is_behind:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        """First what has come already, a turn at a time."""
        if self._has_more and self._may_read():
            self._take(b"")
        if not self._has_more and self._may_read():
            self.transport.resume_reading()

    @property
    def _has_more(self) -> bool:
        return bool(self._unheard) or self._decoder.is_behind

    def _may_read(self) -> bool:
        return not (self.is_over or self._is_paused)

    def _flush(self) -> None:
        if self._outbox and not self.is_over:
            data, self._outbox = bytes(self._outbox), bytearray()
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self.transport.get_write_buffer_size() > self._front.limits.unread_bytes:
            self._front.lose(self, f"it leaves {self.transport.get_write_buffer_size():,} bytes unread")
        elif data:
            self.transport.write(data)
            if self._is_paused:
                self._front.left_unread(len(data))

    def _close(self) -> None:
        """A peer that may still be sending would be told of a reset before it has read what was said to it last: so it
        is told that there is no more, and listened to until it goes."""
        self._front.going.add(self)
        self.transport.resume_reading()
        if self._says_goodbye or not self.transport.can_write_eof():
            self.transport.close()
            return
        try:
            self.transport.write_eof()
        except OSError:  # it has gone already
            self.transport.close()
