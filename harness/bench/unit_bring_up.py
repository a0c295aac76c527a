"""One unit on one board: held, claimed, written down, then up the ladder; its record is whole before anyone is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fleetrig.harness.bench.console_ready import ready_console
from fleetrig.harness.bench.flashers import ready_flasher
from fleetrig.harness.bench.opened_board import OpenedBoard, opened_board
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.consoles.boot_watch import BANNERS
from fleetrig.hil.consoles.console_entry import READY_WITHIN_S
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flasher import BoardState, Flasher, Image, OnProgress
from fleetrig.hil.units.bring_up import BringUp, Climb, Rung, verdict_of
from fleetrig.hil.units.unit_record import UnitIdentity, UnitPhase, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import FleetrigError

RESTART: Final = {"uboot": "reset\n", "linux": "reboot\n"}
"""For boards that the bench cannot switch."""


@dataclass(frozen=True, slots=True)
class UnitOrder:
    """What is to be made of which board. Without an image the board is not flashed."""

    spec: BoardSpec
    identity: UnitIdentity
    station: str
    goal: Rung
    bench_folder: Path
    image: Image | None = None
    again: bool = False


@dataclass(slots=True)
class UnitMaking:
    """The bench's part in it, the same for all boards of a command."""

    records: UnitRecords
    reservations: Reservations
    clock: Clock
    folder_of: Callable[[str], Path]
    """A board's own folder, by its name."""
    lock_folder: Path | None = None
    """Where those who share the desk lock ports."""
    on_phase: Callable[[UnitOrder, UnitPhase], None] = lambda order, phase: None
    on_progress: Callable[[UnitOrder], OnProgress] = field(default=lambda order: lambda progress: None)

    async def make(self, order: UnitOrder) -> UnitRecord:
        """The record as it was written, whatever became of the unit.

        Raises before anything is written down: UnitRefused, PortBusy, OutOfService. CancelledError after it was.
        """
        name = order.spec.name
        with (
            self.reservations.held(name, f"board bring-up {order.identity.serial}"),
            self.records.attempt(order.identity, again=order.again) as attempt,
        ):
            return await self._attempt(order, self._begun(order, attempt))

    def _begun(self, order: UnitOrder, attempt: int) -> UnitRecord:
        image = order.image
        record = UnitRecord(
            attempt,
            order.identity,
            order.station,
            order.spec.name,
            order.spec.type,
            self.clock.now_us(),
            image=image.path.name if image else "",
            image_sha256=image.sha256 if image else "",
        )
        self.records.write(record)
        return record

    async def _attempt(self, order: UnitOrder, record: UnitRecord) -> UnitRecord:
        def phase_ended(phase: UnitPhase) -> None:
            nonlocal record
            record = record.with_phase(phase)
            self.records.write(record)
            self.on_phase(order, phase)

        climbs = _Climbs(order, self)
        ended: tuple[UnitVerdict, str] | None = None
        try:
            async with AsyncExitStack() as climbs.stack:
                await BringUp(climbs.by_rung(), self.clock, phase_ended).reach(order.goal)
            ended = UnitVerdict.PASSED, ""
        except (BoardFailed, FleetrigError) as error:
            ended = verdict_of(error), str(error)
        finally:
            verdict, reason = ended or (UnitVerdict.STOPPED, f"stopped; the board is {climbs.left_in}: begin anew")
            record = record.ended(self.clock.now_us(), verdict, reason)
            self.records.write(record)
        return record


class _Climbs:
    """What takes the board from one rung to the next."""

    stack: AsyncExitStack

    def __init__(self, order: UnitOrder, making: UnitMaking) -> None:
        self._order = order
        self._making = making
        self._board: OpenedBoard | None = None
        self._flasher: Flasher | None = None
        self._is_off = False

    @property
    def left_in(self) -> BoardState:
        return BoardState.UNTOUCHED if self._flasher is None else self._flasher.left_in

    def by_rung(self) -> dict[Rung, Climb]:
        climbs: dict[Rung, Climb] = {Rung.OFF: self._off, Rung.BOOTED: self._booted}
        return climbs | ({Rung.FLASHED: self._flashed} if self._order.image is not None else {})

    async def _opened(self) -> OpenedBoard:
        if self._board is None:
            spec = self._order.spec
            opening = opened_board(
                spec, self._making.folder_of(spec.name), self._making.clock, self._making.lock_folder
            )
            self._board = await self.stack.enter_async_context(opening)
        return self._board

    async def _off(self) -> None:
        """So that all begin alike. A board that the bench cannot switch off is taken as it is."""
        board = await self._opened()
        if board.power is not None and board.can_be_switched_off:
            await board.power.off()
            self._is_off = True

    async def _flashed(self) -> None:
        board = await self._opened()
        if board.power is not None:
            await (board.power.on() if self._is_off else board.power.reset())
            self._is_off = False
        assert self._order.image is not None
        self._flasher = await ready_flasher(board, self._order.bench_folder)
        await self._flasher.flash(self._order.image, self._making.on_progress(self._order))

    async def _booted(self) -> None:
        """Started anew, and seen to start, so that it runs what was written and not what was there before."""
        board = await self._opened()
        if board.power is None:
            console = await ready_console(board)
            console.watch.expect_start()
            await console.type(RESTART[board.spec.console.kind])
        else:
            await board.port.drop_input()
            console = board.console()
            await (board.power.on() if self._is_off else board.power.reset())
        await console.wait_for(BANNERS, READY_WITHIN_S)
        await ready_console(board)
