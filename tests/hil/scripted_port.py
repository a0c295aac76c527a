"""A port whose board is a function, and a loop whose time goes on when the board has nothing to say."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import LINUX, ShellDialect
from fleetrig.hil.port import ThreadPort, Watcher

T = TypeVar("T")
Brain = Callable[[bytes], Iterable[bytes]]
"""What was typed -> the pieces that the board says then."""
TOKEN = "k3f9"


class SkippingLoop(asyncio.SelectorEventLoop):
    """Nobody waits in it: `skip_s` is added to its time."""

    skip_s = 0.0

    def time(self) -> float:
        return super().time() + self.skip_s


class ScriptedPort:
    url = "scripted"

    def __init__(self, brain: Brain, first: Iterable[bytes] = ()) -> None:
        self.typed = b""
        self._brain = brain
        self._unread = deque(first)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        raise NotImplementedError

    async def read(self, within_s: float) -> bytes:
        await asyncio.sleep(0)
        if self._unread:
            return self._unread.popleft()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SkippingLoop)
        loop.skip_s += within_s
        self._unread.extend(self._brain(b""))
        return b""

    async def write(self, data: bytes, within_s: float = 10.0) -> None:
        self.typed += data
        self._unread.extend(self._brain(data))

    async def drop_input(self) -> None:
        self._unread.clear()

    async def set_speed(self, baud: int) -> None:
        raise NotImplementedError

    async def send_break(self, for_s: float = 0.25) -> None:
        raise NotImplementedError

    async def set_lines(self, *, rts: bool | None = None, dtr: bool | None = None) -> None:
        raise NotImplementedError

    def in_thread(self) -> ThreadPort:
        raise NotImplementedError

    async def close(self) -> None:
        return None


def run(story: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(story)


def replying(*pieces: bytes) -> Brain:
    """A board that says the same after each line that is typed."""
    return lambda typed: pieces if typed.endswith(b"\n") else ()


def console_on(port: ScriptedPort, dialect: ShellDialect = LINUX) -> Console:
    return Console(port, dialect, TOKEN)
