"""Performing the words of `do` for boards: each a director whose work takes real time.

A board that does not do as it should raises BoardFailed, which is a finding; the bench's own failures end the run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from fleetrig.harness.bench.bench_board import HALF_GIVEN, LEFT, BenchBoard
from fleetrig.harness.bench.console_provisioning import check_can_be_provisioned, provision_over_console
from fleetrig.harness.bench.flashers import check_can_be_flashed, ready_flasher
from fleetrig.harness.external.command import values_of
from fleetrig.harness.run.board_unit_making import bring_up
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.run.gateway_update import make_gateway_update
from fleetrig.harness.run.real_work import boards_of, really
from fleetrig.harness.run.run_boards import RunBoards
from fleetrig.harness.scenario_file.board_words import (
    BoardWord,
    BringUpUnits,
    ConsoleCommands,
    Flash,
    LineFaultEntry,
    LineFaults,
    MakeGatewayUpdate,
    ProvisionOverConsole,
    Reset,
    ShellLine,
    Unplug,
)
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.flasher import BoardState, Flashed, Flasher, FlashProgress, Image, OnProgress
from fleetrig.hil.port import PortLost, Way
from fleetrig.hil.ports.line_faults import LineFault, LineFaultKind
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Lane
from fleetrig.simulator.drivers.director import Director

SHOWN_CHARS: Final = 200
TENTHS: Final = 10
DID_NOT_FAIL: Final = "{board} took the image ({how}), and it should have failed: {fails!r}"


class BoardDidOtherwise(BoardFailed):
    """A board did what its scenario does not expect."""


def flash(context: RunContext, words: Flash) -> Director[str]:
    boards = boards_of(context)
    board, image = boards.of(words), boards.image(words.image, words.sha256)
    check_can_be_flashed(board.opened.spec)

    async def write() -> str:
        try:
            flashed = await _flashed(context, board, image)
        except BoardFailed as failed:
            if words.fails is None or boards.filled(words.fails) not in str(failed):
                raise
            return f"{board.name}: {failed}"
        how = f"{flashed.written_bytes:,} bytes in {flashed.took_s:.1f} s, verified by {flashed.verified_by}"
        if words.fails is not None:
            raise BoardDidOtherwise(DID_NOT_FAIL.format(board=board.name, how=how, fails=words.fails))
        return f"{board.name}: {how}" + (f", {flashed.repeated} repeated" if flashed.repeated else "")

    async def work() -> str:
        said = await _perhaps_cut(board, words.cut_after_bytes, write)
        if board.opened.can_be_switched_off:
            await board.off()
        return said

    return (yield from really(lambda: board.work(work)))


async def _perhaps_cut(board: BenchBoard, cut_after_bytes: int | None, work: Callable[[], Awaitable[str]]) -> str:
    if cut_after_bytes is None:
        return await work()
    await board.cut_after(cut_after_bytes, work)
    return f"its power was cut under it: {board.condition}"


async def _flashed(context: RunContext, board: BenchBoard, image: Image) -> Flashed:
    """From a fresh start: what runs on the board is not to be written over under its feet."""
    flasher: Flasher | None = None
    board.left = LEFT[BoardState.UNTOUCHED]
    try:
        await (board.on() if board.opened.spec.console.kind == "linux" else board.restart())
        flasher = await ready_flasher(board.opened, boards_of(context).bench.run_desk.desk.folder)
        _tell(context, board, "flashing", f"{image.size_bytes:,} bytes by {flasher.title}")
        flashed = await flasher.flash(image, _in_tenths(partial(_tell, context, board, "flashing")))
        _tell(context, board, "flashed", f"SHA-256 {image.sha256}, verified by {flashed.verified_by}")
        return flashed
    except BoardFailed as failed:
        _tell(context, board, "flash_failed", str(failed))
        raise
    finally:
        if flasher is not None:
            board.left = LEFT[flasher.left_in]


def _in_tenths(tell: Callable[[str], None]) -> OnProgress:
    """Tells how far it is, ten times at most for each step; flashers may call it from a thread of their own."""
    loop, told = asyncio.get_running_loop(), set[tuple[str, int]]()

    def show(progress: FlashProgress) -> None:
        tenths = progress.done_bytes * TENTHS // max(1, progress.total_bytes)
        if 0 < tenths < TENTHS and (step := (progress.phase, tenths)) not in told:
            told.add(step)
            loop.call_soon_threadsafe(tell, f"{progress.phase}: {tenths * TENTHS} % of {progress.total_bytes:,} bytes")

    return show


def shell(context: RunContext, words: ConsoleCommands) -> Director[str]:
    boards = boards_of(context)

    async def type_all() -> None:
        for line in words.lines:
            board = boards.of(line)
            await board.work(partial(_typed, boards, board, line))

    yield from really(type_all)
    return f"{len(words.lines)} command{'s' * (len(words.lines) > 1)} did as expected"


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


def reset(context: RunContext, words: Reset) -> Director[str]:
    board = boards_of(context).of(words)
    yield from really(lambda: board.work(board.restart))
    return f"{board.name} was reset"


def unplug(context: RunContext, words: Unplug) -> Director[str]:
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
    return f"the port of {board.name} was lost, and came back"


def provision(context: RunContext, words: ProvisionOverConsole) -> Director[str]:
    boards = boards_of(context)
    board = boards.of(words)
    check_can_be_provisioned(board.opened.spec, context.platform)
    device = context.devices[context.prefix + context.scenario.played[board.role]]
    given = {
        **context.platform.credential_values(device.credential),
        **context.platform.behaviour_values(device.behaviour),
    }
    values = values_of(device.identity, given, context.server.url, boards.folder)

    async def write() -> str:
        board.left = HALF_GIVEN
        await board.on()
        written = await provision_over_console(board.opened, values, context.secrets)
        board.answered()
        board.left = "given its identity: it is ready"
        said = ", ".join(f"{place} {fingerprint}" for place, fingerprint in written.fingerprints.items())
        _tell(context, board, "provisioned", said)
        return f"{board.name}: {said}"

    return (yield from really(lambda: board.work(lambda: _perhaps_cut(board, words.cut_after_bytes, write))))


def line_faults(context: RunContext, words: LineFaults) -> Director[str]:
    boards = boards_of(context)
    board = boards.of(words)
    faults = [_fault(entry) for entry in words.faults]

    async def work() -> None:
        await board.add_faults(board.opened.line_faults(faults, boards.seed))

    yield from really(lambda: board.work(work))
    return f"the line of {board.name} fails from now on"


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


PERFORM_ON_BOARDS: Final[Mapping[type[BoardWord], Callable[[RunContext, Any], Director[str]]]] = {
    Flash: flash,
    ConsoleCommands: shell,
    Reset: reset,
    Unplug: unplug,
    ProvisionOverConsole: provision,
    BringUpUnits: bring_up,
    LineFaults: line_faults,
    MakeGatewayUpdate: make_gateway_update,
}
"""Word -> what performs it."""
