"""Bringing up units on the boards of a run, all at once: each leaves a record, whatever becomes of it."""

from __future__ import annotations

import asyncio
import platform as machine
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from secrets import token_hex
from typing import Final

from fleetrig.harness.bench.bench_board import BenchBoard
from fleetrig.harness.bench.console_provisioning import check_can_be_provisioned
from fleetrig.harness.bench.flashers import check_can_be_flashed
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.harness.bench.unit_bring_up import UnitMaking
from fleetrig.harness.bench.unit_climbs import UnitOrder
from fleetrig.harness.bench.unit_provisioning import SEEN_WITHIN_S, TOKEN_BYTES, UnitProvisioning
from fleetrig.harness.platform import Platform, UnitSite
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.real_work import boards_of, really
from fleetrig.harness.run.run_boards import RunBoards, UnitOutcome
from fleetrig.harness.scenario_file.board_mistakes import units_of
from fleetrig.harness.scenario_file.board_words import BringUpUnits
from fleetrig.harness.servers.remote import RemoteServer
from fleetrig.hil.desk.reservation import Reservations
from fleetrig.hil.flasher import Image
from fleetrig.hil.units.bring_up import Rung
from fleetrig.hil.units.unit_record import UnitIdentity, UnitRecord, UnitVerdict
from fleetrig.hil.units.unit_records import UnitRecords, UnitRefused
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.wall_clock import WallClock

REFUSED: Final = "refused"
LEFT: Final = {UnitVerdict.PASSED: "a unit that has passed: take it off the desk"}
BEGIN_ANEW: Final = "no finished unit: bring it up again"


def bring_up(context: RunContext, words: BringUpUnits) -> Director[str]:
    boards = boards_of(context)
    image = boards.image(words.image, words.sha256) if words.image is not None else None
    making = _making(context, boards, words)
    units = {role: boards.filled(serial) for role, serial in units_of(context.scenario, words).items()}
    orders = {role: _order(boards, role, serial, words, image) for role, serial in units.items()}
    for order in orders.values():
        _check_can_be_made(order, context.platform)
    if Rung(words.to) is Rung.PROVISIONED:
        orders = {role: _named_on_server(order, context.prefix) for role, order in orders.items()}

    async def all_at_once() -> None:
        operator = boards.bench.operator
        makings = {
            role: replace(making, provisioning=await _provisioning(context, order, operator))
            for role, order in orders.items()
        }
        await asyncio.gather(*(_make(boards, makings[role], role, order) for role, order in orders.items()))

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
    station = f"{machine.node()}, {desk.title}"
    return UnitOrder(spec, UnitIdentity(serial), station, Rung(words.to), desk.folder, image, words.again)


def _check_can_be_made(order: UnitOrder, platform: Platform) -> None:
    """Raises UsageError, before any board is touched."""
    if order.image is not None:
        check_can_be_flashed(order.spec)
    if order.goal is Rung.PROVISIONED:
        check_can_be_provisioned(order.spec, platform)


def _named_on_server(order: UnitOrder, prefix: str) -> UnitOrder:
    """With the run's prefix, by which clean-up finds it again."""
    return replace(order, identity=replace(order.identity, serial=prefix + order.identity.serial))


async def _provisioning(context: RunContext, order: UnitOrder, operator: RealBench) -> UnitProvisioning | None:
    """The unit is given the credential that its device has in this run. Raises BrokenBench, UsageError."""
    if order.goal is not Rung.PROVISIONED:
        return None
    registrar, server = context.platform.registrar, context.server
    if registrar is None:
        raise UsageError(f"units are not made known for good on {context.platform.title}: bring them up to booted")
    given = context.platform.credential_values(context.devices[order.identity.serial].credential)
    admin = server.admin
    site = UnitSite(
        RemoteServer(server.url, admin.account, tenant=admin.tenant, control=server.control,
                     platform=context.platform.name, listeners=server.listeners),
        context.secrets, lambda: given.get("token") or token_hex(TOKEN_BYTES),
    )  # fmt: skip
    made = UnitProvisioning(registrar(site), site, operator, SEEN_WITHIN_S, server.control)
    await made.prepare([order.spec])
    return made


async def _make(boards: RunBoards, making: UnitMaking, role: str, order: UnitOrder) -> None:
    board = boards.bench.boards[role]
    try:
        record = await board.work(lambda: _made_on(board, making, order))
    except UnitRefused as refused:
        boards.units[role] = UnitOutcome(order.identity.serial, REFUSED, str(refused))
    else:
        boards.units[role] = UnitOutcome(order.identity.serial, str(record.verdict), record.reason)


async def _made_on(board: BenchBoard, making: UnitMaking, order: UnitOrder) -> UnitRecord:
    """It is started several times; as far as its device is concerned, once."""
    if board.is_on:
        board.play.went_off(board)
    board.is_on = True
    board.play.came_on(board)
    board.left = BEGIN_ANEW
    record = await making.make(order)
    board.left = LEFT.get(record.verdict, BEGIN_ANEW)
    board.starts.expect_start()
    return record
