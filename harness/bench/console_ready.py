"""Getting a board to its prompt: autoboot stopped, logged in, whatever it was doing before."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.hil.board import BoardSpec, ConsoleSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console

READY_WITHIN_S: Final = 60.0
"""Counted from the first byte: a gateway's Linux takes half a minute on slow storage."""
FIRST_LOOK_S: Final = 0.2
"""A board that has been waiting says nothing until it is asked."""
LOOK_S: Final = 2.0
AUTOBOOT: Final = re.compile(r"(?i:hit any key|stop autoboot|autoboot in)")
LOGIN: Final = re.compile(r"(?i:\blogin: ?$)")
PASSWORD: Final = re.compile(r"(?i:\bpassword: ?$)")
CTRL_C: Final = "\x03"
"""Gives a new prompt in both shells, and unlike Enter repeats no command of U-Boot's."""


async def ready_console(board: OpenedBoard, within_s: float | None = None) -> Console:
    """The console at its prompt. Raises ConsoleFailed with what the board said last, PortLost."""
    console, within_s = board.console(), within_s or READY_WITHIN_S
    answers = _answers(board.spec.console)
    awaited = re.compile("|".join(f"(?:{one.pattern})" for one in (console.dialect.prompt, *answers)))
    deadline_s = asyncio.get_running_loop().time() + within_s
    look_s = FIRST_LOOK_S
    while True:
        try:
            said = await console.wait_for(awaited, look_s)
            answer = next((answer for pattern, answer in answers.items() if pattern.search(said)), None)
            if answer is None:
                await console.run("true", LOOK_S)  # what looks like a prompt may be a line of a booting board
                return console
        except ConsoleFailed as failed:
            if asyncio.get_running_loop().time() > deadline_s:
                raise _not_ready(board.spec, within_s, failed) from None
            answer, look_s = CTRL_C, LOOK_S
        console.take_rest()  # it is answered: the same words must not be answered again
        await console.type(answer)


def _answers(spec: ConsoleSpec) -> dict[re.Pattern[str], str]:
    answers = {AUTOBOOT: spec.stop_autoboot.decode()} if spec.kind == "uboot" else {}
    if spec.login:
        answers[LOGIN] = f"{spec.login}\n"
    if spec.password:
        answers[PASSWORD] = f"{spec.password}\n"
    return answers


def _not_ready(spec: BoardSpec, within_s: float, failed: ConsoleFailed) -> ConsoleFailed:
    return ConsoleFailed(
        f"{spec.name} showed no prompt within {within_s:g} s: {failed}; is it switched on, is {spec.baud} its speed, "
        "and does `console` in the bench file say what runs there?",
        failed.partial,
    )
