"""Getting a board to its prompt, whatever it was doing before: autoboot stopped, logged in, and commands heard."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from fleetrig.hil.board import ConsoleSpec
from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import INTERRUPT, Console

READY_WITHIN_S: Final = 60.0
"""A gateway's Linux takes half a minute on slow storage."""
FIRST_LOOK_S: Final = 0.2
"""A board that has been waiting says nothing until it is asked."""
LOOK_S: Final = 2.0
STARTS_S: Final = 15.0
STANDS_STILL_S: Final = 0.2
INTERRUPT_EVERY: Final = 20
"""So many keys are typed at a silent board before it is interrupted once."""
STOPPED_IN_UBOOT: Final = re.compile(r"^=> $")
AUTOBOOT: Final = re.compile(r"(?i:hit any key|stop autoboot|autoboot in)")
REFUSED: Final = re.compile(r"(?i:login incorrect|authentication failure|permission denied)")
LOGIN: Final = re.compile(r"(?i:\blogin: *$)")
PASSWORD: Final = re.compile(r"(?i:\bpassword: *$)")
LOGIN_TRIES: Final = 3


async def to_prompt(
    console: Console, spec: ConsoleSpec, within_s: float = READY_WITHIN_S, is_starting: bool = False
) -> None:
    """Ends at a prompt that answers. A silent board is interrupted, which gives a new prompt in both shells, and unlike
    an empty line repeats no command of U-Boot's; with `stop_every_s` it is sent the key that stops autoboot instead.
    One that `is_starting` and shall come to its Linux is left alone, so that it is not stopped in U-Boot.

    Raises ConsoleFailed (no prompt, or the password is refused) with what the board said last, PortLost.
    """
    if spec.password:
        console.secrets.learn("password", spec.password)
    loop = asyncio.get_running_loop()
    entry, deadline_s, look_s = _Entry(console, spec), loop.time() + within_s, FIRST_LOOK_S
    if is_starting and spec.kind == "linux":
        look_s = STARTS_S
    failed = ConsoleFailed("what it says leads to none")
    while loop.time() <= deadline_s:
        try:
            if await entry.step(look_s):
                return
        except ConsoleFailed as error:
            failed, look_s = error, spec.stop_every_s or LOOK_S
            await entry.nudge()
        if entry.refusals >= LOGIN_TRIES:
            raise ConsoleFailed(f"no prompt: the board refuses the password of {spec.login} ({entry.refusals} times)")
    raise ConsoleFailed(f"no prompt within {within_s:g} s: {failed}", failed.partial)


class _Entry:
    """What is done at each thing that a board says on the way to its prompt."""

    def __init__(self, console: Console, spec: ConsoleSpec) -> None:
        self.refusals = self._nudges = 0
        self._console = console
        self._answers = _answers(spec)
        self._may_stand_there = False
        """Whether a command was typed that nobody has answered: half of it may stand behind the prompt."""
        self._spam = spec.stop_autoboot.decode() if spec.stop_every_s else ""
        prompt = console.dialect.prompt.pattern
        if self._spam:  # what was sent before the prompt came is echoed behind it
            prompt = f"{prompt.removesuffix('$')}(?:{re.escape(self._spam)})*$"
        patterns = (prompt, REFUSED.pattern, *(one.pattern for one in self._answers))
        self._awaited = re.compile("|".join(f"(?:{one})" for one in patterns))

    async def step(self, look_s: float) -> bool:
        """Takes one thing that the board says: whether it was a prompt that answers. Raises ConsoleFailed."""
        said = await self._console.wait_for(self._awaited, look_s)
        answer = next((answer for pattern, answer in self._answers.items() if pattern.search(said)), None)
        if REFUSED.search(said):
            self.refusals += 1
        elif answer is not None:
            if said == self._console.rest:  # else a prompt may stand behind that line already
                self._console.take_rest()
            await self._console.type(answer)
        else:
            return await self._answers_there()
        return False

    async def _answers_there(self) -> bool:
        """What looks like a prompt may be the beginning of a booting board's line, or a whole one."""
        seen = self._console.rest
        await self._console.listen(STANDS_STILL_S)
        if self._console.rest != seen:
            return False
        if self._spam:
            await self._answer(INTERRUPT)
        self._may_stand_there = True
        return (await self._console.run("echo", LOOK_S)).status == 0

    async def nudge(self) -> None:
        """Nothing came that could be answered."""
        self._nudges += 1
        if self._spam and not self._may_stand_there and self._nudges % INTERRUPT_EVERY:
            # A prompt that it stands behind is still one; one that was missed comes anew when it is interrupted.
            await self._console.type(self._spam)
        else:
            await self._answer(INTERRUPT)
        self._may_stand_there = False

    async def _answer(self, text: str) -> None:
        self._console.take_rest()  # the same words must not be answered again
        await self._console.type(text)


def _answers(spec: ConsoleSpec) -> dict[re.Pattern[str], str]:
    answers = {AUTOBOOT: spec.stop_autoboot.decode()} if spec.kind == "uboot" else {STOPPED_IN_UBOOT: "boot\n"}
    if spec.login:
        answers[LOGIN] = f"{spec.login}\n"
    if spec.password:
        answers[PASSWORD] = f"{spec.password}\n"
    return answers
