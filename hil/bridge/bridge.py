"""A board without network joins the fleet over its serial line: what it asks in frames is done for it, and answered.

The harness hands in who does it (`Carrier`): this room knows lines and boards, and no networks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from fleetrig.hil.bridge.bridge_frames import (
    FROM_BOARD,
    MOST_PARTS,
    PART_BYTES,
    TO_BOARD,
    Assembly,
    Frame,
    FrameKind,
    FrameReader,
    frame_bytes,
    message_frames,
)
from fleetrig.hil.bridge.bridge_messages import BridgeAnswer, BridgeRequest, NoRequest, answer_json, read_request
from fleetrig.hil.port import BoardPort
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.trace import Lane, Trace

LOOK_S: Final = 0.5
"""How long one read waits: so long it takes until a carrier's own failure ends the bridge of a silent board."""
AGAIN_AFTER_S: Final = 1.0
"""An unacknowledged part goes out again: fifteen times what a frame takes at 115,200 baud."""
MOST_SENDINGS: Final = 10
TOKEN_BYTES: Final = 8


class Carrier(Protocol):
    """Does what a board asks, from its hello to the next."""

    async def perform(self, request: BridgeRequest) -> BridgeAnswer:
        """Within `request.within_s`; one at a time. Whatever fails out there is an answer, not an exception."""

    async def close(self) -> None:
        """Closes all connections that the board has opened."""


class BoardGone(Exception):
    """It acknowledges nothing any more."""


class _Boot:
    """A board from one hello to the next."""

    def __init__(self, said_token: str, token: str, carrier: Carrier) -> None:
        self.said_token = said_token
        self.token = token
        self.carrier = carrier
        self.assembly = Assembly()
        self.work: asyncio.Task[None] | None = None
        """The one request that is under way."""
        self.is_over = False
        """It took no answer: from now on its token is nobody's."""
        self.acknowledged = asyncio.Event()
        self.waits_for = (0, 0)
        """Id and part that the board has to acknowledge."""
        self.waits_for_last = False
        """That part is the last of its answer."""
        self.is_answered = False
        """It has the whole answer: its next question may come before the task that answered has ended."""

    @property
    def is_busy(self) -> bool:
        return self.work is not None and not self.work.done() and not self.is_answered


class Bridge:
    """`run` serves a board until its port is lost or the task is cancelled.

    `random_bytes` gives the tokens (`os.urandom`, or a seeded source). `again_after_s` suits the speed of the line.
    """

    def __init__(
        self,
        board: str,
        port: BoardPort,
        open_carrier: Callable[[], Carrier],
        random_bytes: Callable[[int], bytes],
        clock: Clock,
        trace: Trace,
        again_after_s: float = AGAIN_AFTER_S,
    ) -> None:
        self.board = board
        self.boots = 0
        """How often the board has said hello with a token of its own that was new."""
        self.strange_frames = 0
        """Frames of another boot, or of nobody."""
        self.sent_again = 0
        self._port = port
        self._open_carrier = open_carrier
        self._random_bytes = random_bytes
        self._clock = clock
        self._trace = trace
        self._again_after_s = again_after_s
        self._reader = FrameReader(FROM_BOARD)
        self._boot: _Boot | None = None
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Raises PortLost, and what a carrier raises. Ends what the board has under way in every case."""
        try:
            while True:
                for frame in self._reader.feed(await self._port.read(LOOK_S)):
                    await self._hear(frame)
                if self._failure is not None:
                    raise self._failure
        finally:
            await self._end_boot()

    async def _hear(self, frame: Frame) -> None:
        boot = self._boot
        match frame.kind:
            case FrameKind.HELLO:
                await self._hear_hello(frame)
            case FrameKind.MESSAGE | FrameKind.ACK if boot is None or boot.is_over or frame.token != boot.token:
                self.strange_frames += 1
                await self._send(Frame(frame.token, FrameKind.WHO))
            case FrameKind.MESSAGE:
                assert boot is not None
                await self._hear_message(boot, frame)
            case FrameKind.ACK:
                assert boot is not None
                if boot.waits_for == (frame.message_id, frame.part):
                    boot.is_answered = boot.waits_for_last
                    boot.acknowledged.set()
            case _:
                self.strange_frames += 1

    async def _hear_hello(self, frame: Frame) -> None:
        """The same hello again asks for the same welcome: that was lost, and nothing has begun anew."""
        boot = self._boot
        if boot is None or boot.is_over or boot.said_token != frame.token:
            await self._end_boot()
            boot = self._boot = _Boot(frame.token, self._random_bytes(TOKEN_BYTES).hex(), self._open_carrier())
            self.boots += 1
            self._tell("hello", f"start {self.boots} of the board since the bridge is open")
        await self._send(Frame(boot.token, FrameKind.WELCOME, data=frame.token.encode()))

    async def _hear_message(self, boot: _Boot, frame: Frame) -> None:
        if boot.assembly.is_next(frame) and not (boot.is_busy and boot.assembly.begins_message(frame)):
            message = boot.assembly.take(frame)
            await self._acknowledge(boot, frame)
            if message is not None:
                boot.is_answered = boot.waits_for_last = False
                boot.waits_for = (0, 0)
                boot.work = asyncio.create_task(self._serve(boot, frame.message_id, message))
                boot.work.add_done_callback(self._served)
        elif boot.assembly.is_known(frame):
            await self._acknowledge(boot, frame)

    async def _acknowledge(self, boot: _Boot, frame: Frame) -> None:
        await self._send(Frame(boot.token, FrameKind.ACK, frame.message_id, frame.part, frame.parts))

    async def _serve(self, boot: _Boot, message_id: int, message: bytes) -> None:
        answer = answer_json(await self._answer(boot, message))
        if len(answer) > MOST_PARTS * PART_BYTES:
            answer = answer_json(BridgeAnswer(failed="too_large"))
            self._tell(
                "not_carried", f"the answer is larger than {MOST_PARTS * PART_BYTES:,} bytes: fetch it in ranges"
            )
        try:
            for frame in message_frames(boot.token, message_id, answer):
                await self._deliver(boot, frame)
        except BoardGone:
            boot.is_over = True
            self._tell("not_carried", f"the board took no part of the answer {message_id} in {MOST_SENDINGS} sendings")

    def _served(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and self._failure is None:
            self._failure = work.exception()

    async def _answer(self, boot: _Boot, message: bytes) -> BridgeAnswer:
        try:
            request = read_request(message)
        except NoRequest as error:
            self._tell("not_carried", str(error))
            return BridgeAnswer(wrong=str(error))
        began_us = self._clock.now_us()
        self._tell(request.do, f"to {request.where}" if request.where else "from the board", request.envelope)
        answer = await boot.carrier.perform(request)
        took_us = self._clock.now_us() - began_us
        self._tell(request.do, answer.wrong or answer.failed or "to the board", answer.envelope, took_us)
        return answer

    async def _deliver(self, boot: _Boot, frame: Frame) -> None:
        boot.waits_for = (frame.message_id, frame.part)
        boot.waits_for_last = frame.part == frame.parts - 1
        boot.acknowledged.clear()
        for sending in range(MOST_SENDINGS):
            self.sent_again += sending > 0
            await self._send(frame)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._again_after_s):
                    await boot.acknowledged.wait()
                return
        raise BoardGone

    async def _send(self, frame: Frame) -> None:
        await self._port.write(frame_bytes(TO_BOARD, frame))

    async def _end_boot(self) -> None:
        """Nothing of an old boot reaches the new one."""
        boot, self._boot = self._boot, None
        if boot is None:
            return
        if boot.work is not None:
            boot.work.cancel()
            await asyncio.gather(boot.work, return_exceptions=True)
        await boot.carrier.close()

    def _tell(self, name: str, reason: str, envelope: Envelope | None = None, took_us: int = 0) -> None:
        if self._trace.wanted:
            self._trace.emit(
                self._clock.now_us(), Lane.BOARD, "bridged", self.board,
                envelope=envelope, name=name, reason=reason, took_us=took_us,
            )  # fmt: skip
