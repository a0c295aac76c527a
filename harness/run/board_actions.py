"""Performing the words of `do` for boards: each a director whose work takes real time.

A board that does not do as it should raises BoardFailed, which is a finding; the bench's own failures end the run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.harness.bench.bench_board import HALF_GIVEN, LEFT, BenchBoard
from fleetrig.harness.bench.console_provisioning import check_can_be_provisioned, provision_over_console
from fleetrig.harness.bench.flashers import check_can_be_flashed, ready_flasher
from fleetrig.harness.external.command import values_of
from fleetrig.harness.run.board_unit_making import bring_up
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.gateway_update import make_gateway_update
from fleetrig.harness.run.real_work import really
from fleetrig.harness.run.run_boards import RunBoards
from fleetrig.harness.scenario_file.board_words import (
    BoardWord,
    BringUpUnits,
    Flash,
    LineFaultEntry,
    LineFaults,
    MakeGatewayUpdate,
    ProvisionOverConsole,
    Reset,
    Shell,
    ShellLine,
    Unplug,
)
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.flasher import BoardState, Flashed, Flasher, FlashProgress, Image
from fleetrig.hil.port import PortLost, Way
from fleetrig.hil.ports.line_faults import LineFault, LineFaultKind
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.director import Director

SHOWN_CHARS: Final = 200
DID_NOT_FAIL: Final = "{board} took the image ({how}), and it should have failed: {fails!r}"


class BoardDidOtherwise(BoardFailed):
    """A board did what its scenario does not expect."""


def boards_of(context: RunContext) -> RunBoards:
    assert context.boards is not None, "a file whose words are about boards has some, or it was refused"
    return context.boards


def flash(context: RunContext, words: Flash) -> Director[None]:
    boards = boards_of(context)
    board, image = boards.of(words), boards.image(words.image, words.sha256)
    check_can_be_flashed(board.opened.spec)

    async def write() -> None:
        try:
            flashed = await _flashed(context, board, image)
        except BoardFailed as failed:
            if words.fails is None or boards.filled(words.fails) not in str(failed):
                raise
        else:
            if words.fails is not None:
                how = f"{flashed.written_bytes:,} bytes, verified by {flashed.verified_by}"
                raise BoardDidOtherwise(DID_NOT_FAIL.format(board=board.name, how=how, fails=words.fails))

    async def work() -> None:
        if words.cut_after_bytes is None:
            await write()
        else:
            await board.cut_after(words.cut_after_bytes, write)
        if board.opened.can_be_switched_off:
            await board.off()

    yield from really(lambda: board.work(work))


async def _flashed(context: RunContext, board: BenchBoard, image: Image) -> Flashed:
    """From a fresh start: what runs on the board is not to be written over under its feet."""
    flasher: Flasher | None = None
    board.left = LEFT[BoardState.UNTOUCHED]
    try:
        await (board.on() if board.opened.spec.console.kind == "linux" else board.restart())
        flasher = await ready_flasher(board.opened, boards_of(context).bench.run_desk.desk.folder)
        _tell(context, board, "flashing", f"{image.size_bytes:,} bytes by {flasher.title}")
        flashed = await flasher.flash(image, _nobody_watches)
        _tell(context, board, "flashed", f"SHA-256 {image.sha256}, verified by {flashed.verified_by}")
        return flashed
    except BoardFailed as failed:
        _tell(context, board, "flash_failed", str(failed))
        raise
    finally:
        if flasher is not None:
            board.left = LEFT[flasher.left_in]


def _nobody_watches(_: FlashProgress) -> None:
    return None


def shell(context: RunContext, words: Shell) -> Director[None]:
    boards = boards_of(context)
    for line in words.lines:
        board = boards.of(line)
        yield from really(lambda board=board, line=line: board.work(lambda: _typed(boards, board, line)))  # type: ignore[misc]


async def _typed(boards: RunBoards, board: BenchBoard, line: ShellLine) -> None:
    console = await board.console()
    ended = await console.run(boards.filled(line.run), line.within_s)
    said = f"{line.run!r} ended with status {ended.status} and said {_short(ended.output)}"
    if line.status not in ("any", ended.status):
        raise BoardDidOtherwise(f"{board.name}: expected status {line.status}, {said}")
    if line.expect is not None and not re.search(boards.filled(line.expect), ended.output, re.MULTILINE):
        raise BoardDidOtherwise(f"{board.name}: expected {boards.filled(line.expect)!r} in the output, {said}")


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…") if text else "nothing"


def reset(context: RunContext, words: Reset) -> Director[None]:
    board = boards_of(context).of(words)
    yield from really(lambda: board.work(board.restart))


def unplug(context: RunContext, words: Unplug) -> Director[None]:
    boards = boards_of(context)
    board = boards.of(words)

    async def work() -> None:
        if words.during is not None:
            console = await board.console()
            await console.type(boards.filled(words.during) + console.dialect.line_end)
        board.opened.unplug(words.for_s)
        try:
            while True:
                await board.opened.port.read(words.for_s)
        except PortLost as lost:
            await board.opened.reopened(lost)

    yield from really(lambda: board.work(work))


def provision(context: RunContext, words: ProvisionOverConsole) -> Director[None]:
    boards = boards_of(context)
    board = boards.of(words)
    check_can_be_provisioned(board.opened.spec)
    device = context.devices[context.prefix + context.scenario.played[board.role]]
    given = {
        **context.platform.credential_values(device.credential),
        **context.platform.behaviour_values(device.behaviour),
    }
    values = values_of(device.identity, given, context.server.url, boards.folder)

    async def write() -> None:
        board.left = HALF_GIVEN
        await board.on()
        written = await provision_over_console(board.opened, values, context.secrets)
        board.answered()
        board.left = "given its identity: it is ready"
        said = ", ".join(f"{place} {fingerprint}" for place, fingerprint in written.fingerprints.items())
        _tell(context, board, "provisioned", said)

    async def work() -> None:
        if words.cut_after_bytes is None:
            await write()
        else:
            await board.cut_after(words.cut_after_bytes, write)

    yield from really(lambda: board.work(work))


def line_faults(context: RunContext, words: LineFaults) -> Director[None]:
    board = boards_of(context).of(words)
    faults = [_fault(entry) for entry in words.faults]
    seed = 0

    async def work() -> None:
        await board.add_faults(board.opened.line_faults(faults, seed))

    yield from really(lambda: board.work(work))


def _fault(entry: LineFaultEntry) -> LineFault:
    return LineFault(
        LineFaultKind(entry.fault), Way(entry.way), entry.at, float(entry.every_bytes or 0), entry.most or 0,
        entry.length_bytes, entry.for_s,
    )  # fmt: skip


def end_phase(context: RunContext) -> Director[None]:
    """Lines work again. Raises BrokenBench for faults that never happened: nothing was tested with them."""
    if context.boards is None:
        return
    boards = context.boards.bench.boards.values()

    async def end() -> list[str]:
        ended = await asyncio.gather(*(board.work(board.end_phase) for board in boards))
        return [f"{board.name}: {kind}" for board, unfired in zip(boards, ended, strict=True) for kind in unfired]

    if unfired := (yield from really(end)):
        raise BrokenBench(
            f"line faults that never happened ({', '.join(unfired)}): too little went over the line, so nothing was "
            "proven; let them happen earlier or more often"
        )


def _tell(context: RunContext, board: BenchBoard, kind: str, reason: str) -> None:
    context.driver.trace.emit(
        context.driver.now_us(), Lane.BOARD, kind, board.name, reason=context.secrets.hide(reason)
    )


PERFORM_ON_BOARDS: Final[Mapping[type[BoardWord], Callable[[RunContext, Any], Director[None]]]] = {
    Flash: flash,
    Shell: shell,
    Reset: reset,
    Unplug: unplug,
    ProvisionOverConsole: provision,
    BringUpUnits: bring_up,
    LineFaults: line_faults,
    MakeGatewayUpdate: make_gateway_update,
}
"""Word -> what performs it."""
