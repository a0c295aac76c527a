"""Getting to a prompt: stopping U-Boot's countdown, logging in to Linux, and making sure that commands are heard."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import INTERRUPT, Console

COUNTDOWN: Final = re.compile(r"stop autoboot")
STOPPED_WITHIN_S: Final = 15.0
SPAM_EVERY_S: Final = 0.1
SYNC_TRIES: Final = 3
SYNC_WITHIN_S: Final = 3.0
LOGIN_WITHIN_S: Final = 30.0
LOGIN_QUIET_S: Final = 3.0
"""After which an empty line is sent: a kernel message may stand where the question was."""
LOGIN_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class AutobootStop:
    """`keys` are sent when `countdown` is seen; with `spams` again and again from power-on, for silent boards.

    An empty line repeats U-Boot's last command: so spam with a key that is not Return.
    """

    keys: str = " "
    countdown: re.Pattern[str] = COUNTDOWN
    spams: bool = False


async def stop_autoboot(
    console: Console, stop: AutobootStop = AutobootStop(), within_s: float = STOPPED_WITHIN_S
) -> None:
    """Call it right after the board was switched on. Ends at a prompt that answers. Raises ConsoleFailed, PortLost."""
    if not stop.spams:
        await console.wait_for(stop.countdown, within_s)
        await console.type(stop.keys)
        await console.wait_for(console.dialect.prompt, within_s)
    else:
        await _spam(console, stop.keys, within_s)
    await sync(console)


async def _spam(console: Console, keys: str, within_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    echoes = re.compile(f"(?:{re.escape(keys)})*$")
    while not console.dialect.prompt.search(echoes.sub("", console.rest, count=1).rstrip()):
        if loop.time() >= deadline_s:
            raise ConsoleFailed(
                f"no prompt of {console.dialect.name} within {within_s:g} s, though {keys!r} was sent every "
                f"{SPAM_EVERY_S:g} s; the last it said: {console.rest!r}. Is it switched on, and are these its keys?"
            )
        await console.type(keys)
        await console.listen(SPAM_EVERY_S)


async def sync(console: Console) -> None:
    """Forgets what came, interrupts what runs, and has one command answered. Raises ConsoleFailed, PortLost."""
    for tries_left in reversed(range(SYNC_TRIES)):
        await console.port.drop_input()
        console.take_rest()
        await console.type(INTERRUPT)
        with suppress(ConsoleFailed):
            await console.wait_for(console.dialect.prompt, SYNC_WITHIN_S)
        try:
            await console.run("echo", SYNC_WITHIN_S)
        except ConsoleFailed as failed:
            if not tries_left:
                raise ConsoleFailed(
                    f"no {console.dialect.name} answers: {failed}. Is this the console's kind, and its speed?",
                    failed.partial,
                ) from None
        else:
            return


ASKED: Final = re.compile(
    r"(?P<refused>[Ll]ogin incorrect|[Aa]uthentication failure|Permission denied)|(?P<user>\blogin: *$)"
    r"|(?P<password>[Pp]assword: *$)"
)


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


async def log_in(console: Console, login: Login, within_s: float = LOGIN_WITHIN_S) -> None:
    """Ends at a prompt that answers; a board where somebody is logged in already is taken as it is.

    Raises ConsoleFailed (the password is refused, nobody asks for a name), PortLost.
    """
    if login.password:
        console.secrets.learn("password", login.password)
    expected = re.compile(f"{ASKED.pattern}|(?P<prompt>{console.dialect.prompt.pattern})")
    deadline_s = asyncio.get_running_loop().time() + within_s
    for _ in range(LOGIN_TRIES):
        if await _one_login(console, login, expected, deadline_s):
            return await sync(console)
    raise ConsoleFailed(f"the board refuses the password of {login.user}: {LOGIN_TRIES} times `Login incorrect`")


async def _one_login(console: Console, login: Login, expected: re.Pattern[str], deadline_s: float) -> bool:
    """Answers what is asked; False when it was refused."""
    while True:
        match await _next_question(console, expected, deadline_s):
            case "user":
                await console.type(login.user + "\n")
            case "password":
                await console.type(login.password + "\n")
            case "refused":
                return False
            case _:
                return True


async def _next_question(console: Console, expected: re.Pattern[str], deadline_s: float) -> str:
    """Asks for it with an empty line, when nothing comes: in a login that is no harm."""
    loop = asyncio.get_running_loop()
    while (left_s := deadline_s - loop.time()) > 0:
        try:
            line = await console.wait_for(expected, min(left_s, LOGIN_QUIET_S))
        except ConsoleFailed:
            await console.type("\n")
            continue
        found = expected.search(line)
        kind = (found and found.lastgroup) or "prompt"
        if kind == "prompt" and line != console.rest:
            continue  # a whole line is no prompt, such as a message of the day between `#####`
        console.take_rest()
        return kind
    raise ConsoleFailed(f"nobody asks for a name, and there is no prompt; the last the board said: {console.rest!r}")
