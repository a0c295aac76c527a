"""A board of the bench at its prompt, in Linux or in U-Boot, as its bench file says."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.hil.board import BoardSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.boot_watch import A_START, BANNERS
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.console_entry import READY_WITHIN_S, to_prompt

RESTART: Final = {"uboot": "reset\n", "linux": "reboot\n"}
"""For boards that the bench cannot switch."""
UBOOT_WORDS: Final = ("U-Boot", "Unknown command")
"""What U-Boot answers to `version`, also where it was built without it."""


async def ready_console(board: OpenedBoard, within_s: float | None = None) -> Console:
    """Its console at a prompt, whatever it was doing. Raises ConsoleFailed with what it said last, PortLost."""
    console = board.console()
    within_s = within_s or READY_WITHIN_S
    try:
        await to_prompt(console, board.spec.console, within_s, board.is_starting)
    except ConsoleFailed as failed:
        raise _not_ready(board.spec, failed) from None
    board.is_starting = False
    return console


async def ready_uboot(board: OpenedBoard, within_s: float | None = None) -> Console:
    """U-Boot's prompt, also of a board whose console is Linux: that is started anew, and stopped on its way.

    Raises ConsoleFailed, PortLost, BrokenBench.
    """
    if board.spec.console.kind != "linux":
        return await ready_console(board, within_s)
    within_s = within_s or READY_WITHIN_S
    await _restart(board, within_s)
    console = board.console("uboot")
    spec = replace(board.spec.console, kind="uboot", login="", password="")
    try:
        if not spec.stop_every_s:  # what is there before its banner is not U-Boot's
            await console.wait_for(BANNERS, within_s, A_START)
        await to_prompt(console, spec, within_s)
    except ConsoleFailed as failed:
        raise _not_ready(board.spec, failed) from None
    await _check_uboot(board.spec, console)
    return console


async def _check_uboot(spec: BoardSpec, console: Console) -> None:
    """A root's prompt looks like one of U-Boot's."""
    said = (await console.run("version")).output
    if not any(word in said for word in UBOOT_WORDS):
        raise ConsoleFailed(
            f"{spec.name} was not stopped in U-Boot: at its prompt `version` says {said!r}; is `stop_autoboot` its "
            "key, or does it show no countdown (`stop_every`)?",
            said,
        )


async def _restart(board: OpenedBoard, within_s: float) -> None:
    """By its power, or by asking its Linux."""
    if board.power is not None:
        await board.port.drop_input()
        await board.power.reset()
        return
    console = await ready_console(board, within_s)
    await console.type(RESTART["linux"])


def _not_ready(spec: BoardSpec, failed: ConsoleFailed) -> ConsoleFailed:
    return ConsoleFailed(
        f"{spec.name}: {failed}; is it switched on, is {spec.baud} its speed, and does `console` in the bench "
        "file say what runs there?",
        failed.partial,
    )
