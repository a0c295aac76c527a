"""Bringing up units on the boards of a run, all at once: each leaves a record, whatever becomes of it."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fleetrig.harness.bench.bench_board import BenchBoard
from fleetrig.harness.bench.flashers import check_can_be_flashed
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.bench.unit_bring_up import UnitMaking
from fleetrig.harness.bench.unit_climbs import UnitOrder
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.real_work import really
from fleetrig.harness.run.run_boards import RunBoards, UnitOutcome
from fleetrig.harness.scenario_file.board_mistakes import units_of
from fleetrig.harness.scenario_file.board_words import BringUpUnits
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flasher import Image
from fleetrig.hil.units.bring_up import Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords, UnitRefused
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.realtime import WallClock

REFUSED: Final = "refused"
LEFT: Final = {UnitVerdict.PASSED: "a unit that has passed: take it off the desk"}
BEGIN_ANEW: Final = "no finished unit: bring it up again"


def bring_up(context: RunContext, words: BringUpUnits) -> Director[str]:
    boards = context.boards
    assert boards is not None
    image = boards.image(words.image, words.sha256) if words.image is not None else None
    making = _making(context, boards, words)
    units = {role: boards.filled(serial) for role, serial in units_of(context.scenario, words).items()}
    for role in units if image is not None else ():
        check_can_be_flashed(boards.bench.boards[role].opened.spec)

    async def all_at_once() -> None:
        made = (
            _make(boards, making, role, _order(boards, role, serial, words, image)) for role, serial in units.items()
        )
        await asyncio.gather(*made)

    yield from really(all_at_once)
    return ", ".join(f"{boards.names[role]} {boards.units[role].verdict}" for role in units)


def _making(context: RunContext, boards: RunBoards, words: BringUpUnits) -> UnitMaking:
    """The run has the boards already: they are not opened and not reserved anew. Each run has records of its own."""

    @asynccontextmanager
    async def opened(order: UnitOrder) -> AsyncIterator[OpenedBoard]:
        yield next(one.opened for one in boards.bench.boards.values() if one.name == order.spec.name)

    clock = WallClock()
    records = UnitRecords(context.results / f"{words.records}-{boards.run}")
    return UnitMaking(
        records, Reservations(boards.folder, clock), clock, boards.bench.run_desk.folder_of, opening=opened
    )


def _order(boards: RunBoards, role: str, serial: str, words: BringUpUnits, image: Image | None) -> UnitOrder:
    desk, spec = boards.bench.run_desk.desk, boards.bench.boards[role].opened.spec
    station = f"{platform.node()}, {desk.title}"
    return UnitOrder(spec, UnitIdentity(serial), station, Rung(words.to), desk.folder, image, words.again)


async def _make(boards: RunBoards, making: UnitMaking, role: str, order: UnitOrder) -> None:
    board = boards.bench.boards[role]
    try:
        record = await board.work(lambda: _made_on(board, making, order))
    except UnitRefused as refused:
        boards.units[role] = UnitOutcome(order.identity.serial, REFUSED, str(refused))
    else:
        boards.units[role] = UnitOutcome(order.identity.serial, str(record.verdict), record.reason)


async def _made_on(board: BenchBoard, making: UnitMaking, order: UnitOrder) -> UnitRecord:
    was_on = board.is_on
    board.left = BEGIN_ANEW
    record = await making.make(order)
    board.left = LEFT.get(record.verdict, BEGIN_ANEW)
    board.starts.expect_start()
    if not was_on:
        board.is_on = True
        board.play.came_on(board)
    return record
