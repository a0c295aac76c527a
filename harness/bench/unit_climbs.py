"""What takes a board from one rung of its ladder to the next: off, flashed, booted, provisioned."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.bench.console_ready import RESTART, ready_console, ready_uboot
from fleetrig.harness.bench.flashers import ready_flasher
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.bench.unit_provisioning import SeenStart, UnitProvisioning, sighting_in_record
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.consoles.boot_watch import A_START, BANNERS
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_entry import READY_WITHIN_S
from fleetrig.hil.flasher import BoardState, Flasher, Image, OnProgress
from fleetrig.hil.flashers.uboot_commands import UbootCommands
from fleetrig.hil.units.bring_up import Climb, Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitMeasure, UnitRecord
from fleetrig.simulator.contract.clock import Clock, to_s

BYTES_PER_KIB: Final = 1_024

NoteUnit = Callable[[Callable[[UnitRecord], UnitRecord]], None]
"""Keeps what was found out in a unit's record, at once."""


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


class UnitClimbs:
    """One board's. What `stack` holds is to be closed by whoever closes it."""

    def __init__(
        self,
        order: UnitOrder,
        opening: Callable[[], AbstractAsyncContextManager[OpenedBoard]],
        clock: Clock,
        note: NoteUnit,
        on_progress: OnProgress,
        provisioning: UnitProvisioning | None,
    ) -> None:
        self.stack = AsyncExitStack()
        self._order = order
        self._opening = opening
        self._clock = clock
        self._note = note
        self._on_progress = on_progress
        self._provisioning = provisioning
        self._board: OpenedBoard | None = None
        self._flasher: Flasher | None = None
        self._is_off = False
        self._identity = ""
        """How far it is with its identity, as a part of a sentence."""

    @property
    def left_in(self) -> str:
        """In what condition the board is, as a part of a sentence."""
        state = BoardState.UNTOUCHED if self._flasher is None else self._flasher.left_in
        return self._identity or str(state)

    def by_rung(self) -> dict[Rung, Climb]:
        climbs: dict[Rung, Climb] = {Rung.OFF: self._off, Rung.BOOTED: self._booted}
        if self._order.image is not None:
            climbs[Rung.FLASHED] = self._flashed
        if self._provisioning is not None:
            climbs[Rung.PROVISIONED] = self._provisioned
        return climbs

    async def _opened(self) -> OpenedBoard:
        if self._board is None:
            self._board = await self.stack.enter_async_context(self._opening())
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
        flashed = await self._flasher.flash(self._order.image, self._on_progress)
        if flashed.written_bytes and flashed.took_s > 0:
            self._measured("flash_rate", flashed.written_bytes / BYTES_PER_KIB / flashed.took_s, "KiB/s")

    async def _booted(self) -> None:
        """Started anew, and seen to start, so that it runs what was written and not what was there before."""
        board = await self._opened()
        if self._is_to_be_asked:
            await self._asked_who_it_is(board)
        await self._restart(board, await self._before_start(board))
        await ready_console(board)

    @property
    def _is_to_be_asked(self) -> bool:
        """Who is flashed was asked, and variables are not set without asking: it remains who is given files only."""
        spec = self._order.spec
        has_uboot = spec.flasher is not None and spec.flasher.kind.startswith("uboot")
        is_given_files = self._provisioning is not None and spec.console.kind == "linux"
        return has_uboot and is_given_files and self._flasher is None and bool(spec.identity)

    async def _asked_who_it_is(self, board: OpenedBoard) -> None:
        """In U-Boot, which is where it answers for its `identity`. Raises WrongBoard."""
        if self._is_off and board.power is not None:
            await board.power.on()
            self._is_off = False
        await UbootCommands(await ready_uboot(board)).check_identity(self._order.spec.identity)

    async def _before_start(self, board: OpenedBoard) -> Console:
        """One that hears a board from its very start."""
        if board.power is None:
            console = await ready_console(board)
        else:
            await board.port.drop_input()
            console = board.console()
        console.watch.expect_start()
        return console

    async def _restart(self, board: OpenedBoard, console: Console) -> None:
        """Until it is seen to start."""
        if board.power is None:
            await console.type(RESTART[board.spec.console.kind])
        else:
            await (board.power.on() if self._is_off else board.power.reset())
            self._is_off = False
        await console.wait_for(BANNERS, READY_WITHIN_S, A_START)

    async def _provisioned(self) -> None:
        """Made known, given its identity, started anew with it, and seen by its server."""
        board, provisioning = await self._opened(), self._provisioning
        assert provisioning is not None
        identity, spec = self._order.identity, self._order.spec
        configuration = provisioning.configuration_sha256(spec)
        self._note(lambda record: replace(record, server=provisioning.server, configuration_sha256=configuration))
        self._identity = "on the way to an identity, of which it may have a part"
        given = await provisioning.give(board, identity)
        self._note(given.in_record)
        self._identity = "given its identity, and its server has not seen it yet"
        start = SeenStart(await self._before_start(board))
        await self._restart(board, start.console)
        began_us = self._clock.now_us()
        sighting = await provisioning.await_seen(start, identity.serial)
        self._measured("seen", to_s(self._clock.now_us() - began_us), "s")
        self._note(sighting_in_record(sighting))

    def _measured(self, name: str, value: float, unit: str) -> None:
        measure = UnitMeasure(name, round(value, 3), unit)
        self._note(lambda record: record.with_measure(measure))
